"""YAML text as a tree that remembers where each value was written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import yaml

from rnnpipe.config.scalars import Refused, Scalar, read_scalar
from rnnpipe.errors import UserError

MAX_DEPTH = 40
MAX_FAULTS = 20

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written.

    Args:
        source: `file:line`, or `--set a.b=c`.
        order: faults are reported in this order: (0, line) in a file, (1, number) of an override.
        path: the key that an override sets, which its `source` already names.
        prefix: of flags, where every key is one of its own, e.g. `--`.
    """

    source: str
    order: tuple[int, int]
    path: Path | None = None
    prefix: str = ""

    def where(self, path: Path) -> str:
        """The place and the key, as a `UserError` names them."""
        if not path or (self.path is not None and dotted(path) == dotted(self.path)):
            return self.source
        return f"{self.prefix}{dotted(path)}" if self.prefix else f"{self.source}: {dotted(path)}"

    def how_to_add(self, path: Path) -> str:
        """The advice to write a key that is missing."""
        key = f"{self.prefix}{dotted(path)}" if self.prefix else f"{shown(str(path[-1]))}: …"
        return f"add {key}"


@dataclass(slots=True)
class Node:
    """A value, where it was written and how.

    Args:
        value: a scalar, a mapping of keys to nodes, or a list of nodes.
        place: where its key, or the item, was written.
        written: a scalar as the user wrote it.
        quoted: whether it was in quotes, or was a block of text.
        sound: False where a fault was already reported, so that none follows.
    """

    value: "Scalar | dict[str, Node] | list[Node]"
    place: Place
    written: str = ""
    quoted: bool = False
    sound: bool = True

    def child(self, part: str | int) -> "Node | None":
        """The node under a key or an index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def plain(self) -> Any:
        """The value without its places, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def make_tree(value: Any, place: Place) -> Node:
    """The tree of plain values, all written at one place."""
    if isinstance(value, Mapping):
        return Node({str(key): make_tree(item, place) for key, item in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node([make_tree(item, place) for item in value], place)
    if isinstance(value, PurePath):
        value = str(value)
    quoted = isinstance(value, str)
    return Node(value, place, written=value if quoted else json.dumps(value), quoted=quoted)


@dataclass(slots=True)
class FaultList:
    """The faults found so far, in whatever order they were found.

    Args:
        found: the faults, with what they are ordered by.
        left_out: how many there are beside them.
    """

    found: list[tuple[tuple[int, int], UserError]] = field(default_factory=list)
    left_out: int = 0

    def add(self, place: Place, path: Path, expected: str, got: str, fix: str) -> None:
        """Notes one fault."""
        self.found.append((place.order, UserError(place.where(path), expected, got, fix)))

    def in_order(self) -> list[UserError]:
        """The faults in the order of their lines, the first of many; those of overrides last."""
        faults = [fault for _, fault in sorted(self.found, key=lambda item: item[0])]
        if more := len(faults[MAX_FAULTS:]) + self.left_out:
            return [*faults[:MAX_FAULTS], UserError(f"and {more:,} more")]
        return faults


def dotted(path: Sequence[str | int]) -> str:
    """A key path as `--set` takes it, e.g. `model.channels.0`."""
    return ".".join(shown(str(part)) for part in path)


def shown(text: str, limit: int = 60) -> str:
    """Text for a message of one line."""
    if not text.isprintable():
        text = json.dumps(text)[1:-1]
    return text if len(text) <= limit else text[: limit - 1] + "…"


class Composer(yaml.SafeLoader):
    """Composes nodes and notes what a configuration may not hold: anchors, aliases and tags."""

    def __init__(self, text: str) -> None:
        self.banned: dict[int, str] = {}
        super().__init__(text)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, stripped of what is banned, which is kept in `banned` by the node's id."""
        events: Any = self
        event = events.peek_event()
        if isinstance(event, yaml.AliasEvent):
            mark: Any = events.get_event().start_mark
            alias = yaml.ScalarNode("", "", mark, mark)
            self.banned[id(alias)] = f"the alias *{event.anchor}"
            return alias
        found = [f"the tag {event.tag}"] if event.tag is not None else []
        found += [f"the anchor &{event.anchor}"] if event.anchor is not None else []
        event.tag = event.anchor = None
        node = super().compose_node(parent, index)
        if found:
            self.banned[id(node)] = " and ".join(found)
        return node


class TreeBuilder:
    """Turns composed nodes into a tree of `Node`, noting faults on the way."""

    def __init__(
        self, banned: dict[int, str], locate: Callable[[yaml.Node], Place], faults: FaultList
    ) -> None:
        self.banned, self.locate, self.faults = banned, locate, faults

    def build(self, node: yaml.Node, path: Path = (), place: Place | None = None) -> Node:
        """The tree under a node; `place` is that of the key it belongs to."""
        place = place or self.locate(node)
        if what := self.banned.get(id(node)):
            fix = "write the value itself, with no anchor, alias or tag (quotes make text)"
            self.faults.add(place, path, "a plain value", shown(what), fix)
            if not what.startswith("the anchor"):
                return Node(None, place, sound=False)
        if len(path) > MAX_DEPTH:
            fix = "flatten it"
            self.faults.add(place, path[:4], f"at most {MAX_DEPTH} levels", "more", fix)
            return Node(None, place, sound=False)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, place)
        if isinstance(node, yaml.SequenceNode):
            items = [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            return Node(items, place)
        return self._scalar(node, path, place)

    def _mapping(self, node: yaml.MappingNode, path: Path, place: Place) -> Node:
        children: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key_place = self.locate(key_node)
            key = self._key(key_node, path, key_place)
            if key is None:
                continue
            child = self.build(value_node, (*path, key), key_place)
            if key in children:
                in_file, line = children[key].place.order
                got = f"it again (first on line {line})" if in_file == 0 else "it twice"
                self.faults.add(key_place, (*path, key), "each key once", got, "remove one of them")
            else:
                children[key] = child
        return Node(children, place)

    def _key(self, node: yaml.Node, path: Path, place: Place) -> str | None:
        what = self.banned.get(id(node))
        if what is None and not isinstance(node, yaml.ScalarNode):
            what = "a list or mapping in its place"
        elif what is None and not _quoted(node) and node.value in ("", "<<"):
            what = "the merge key <<" if node.value else "no key before the colon"
        elif what is None and not _encodable(node.value):
            what = "half of a surrogate pair"
        if what is None:
            return str(node.value)
        fix = "write out every key by its name, followed by a colon"
        self.faults.add(place, path, "a key", shown(what), fix)
        return None

    def _scalar(self, node: yaml.Node, path: Path, place: Place) -> Node:
        text, quoted = node.value, _quoted(node)
        value = text if quoted else read_scalar(text)
        if not _encodable(text):
            value = Refused("text", "write the character itself, not one half of a surrogate pair")
        if isinstance(value, Refused):
            self.faults.add(place, path, value.expected, shown(text), value.fix)
            return Node(None, place, sound=False)
        return Node(value, place, written=text, quoted=quoted)


def _quoted(node: yaml.Node) -> bool:
    return getattr(node, "style", None) is not None


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
