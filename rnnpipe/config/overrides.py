"""Values written over a configuration: `--set a.b=c`, or a mapping of keys to Python values."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from rnnpipe.config.nodes import (
    MAX_DEPTH,
    FaultList,
    Node,
    Path,
    Place,
    dotted,
    make_tree,
    shown,
)
from rnnpipe.config.reader import read_value
from rnnpipe.errors import UserError

Overrides = Sequence[str] | Mapping[str, Any]
"""`a.b=c` with a value in YAML each, or Python values by key: `{"a.b": c}`."""


def apply_overrides(
    root: Node, overrides: Overrides, faults: FaultList, *, flags: bool = False
) -> None:
    """Writes each override into the tree, in order; what cannot be written becomes a fault.

    Args:
        root: the tree of the file, a mapping.
        overrides: by key: keys and list indices joined by dots; or as texts, `a.b=c`, with a
            value in YAML.
        faults: where the faults go.
        flags: whether each is a flag of its own, `--a.b=c`, for messages.
    """
    if isinstance(overrides, Mapping):
        for number, (key, value) in enumerate(overrides.items()):
            path = _split(key)
            place = Place(f"overrides[{shown(key)!r}]", (1, number), path)
            if not _is_path(path):
                fix = 'write e.g. {"train.epochs": 2}'
                faults.add(place, (), "a key such as train.epochs", shown(key) or "no key", fix)
                continue
            _write(root, path, place, partial(_plant, value, place), faults)
        return
    option, prefix = ("--", "--") if flags else ("--set ", "")
    for number, override in enumerate(overrides):
        key, equals, text = override.partition("=")
        path = _split(key)
        place = Place(f"{option}{shown(override)}", (1, number), path, prefix)
        if not equals or not _is_path(path):
            got = "no equals sign" if not equals else shown(key) or "no key"
            faults.add(place, (), "key.path=value", got, f"write e.g. {option}train.epochs=2")
            continue
        _write(root, path, place, partial(read_value, text, place, path, faults), faults)


def _split(key: str) -> Path:
    return tuple(part.strip() for part in key.split("."))


def _is_path(path: Path) -> bool:
    return all(path) and len(path) <= MAX_DEPTH


def _write(
    root: Node, path: Path, place: Place, make: Callable[[], Node], faults: FaultList
) -> None:
    try:
        _set(root, path, make())
    except UserError as fault:
        faults.found.append((place.order, fault))


def _plant(value: Any, place: Place) -> Node:
    """The tree of a Python value: also of settings, paths, tuples, NumPy numbers and arrays."""
    try:
        plain = to_jsonable_python(value, fallback=_to_list)
    except (PydanticSerializationError, TypeError):
        expected, fix = "a value that YAML can have", "write numbers, texts, lists or mappings"
        raise UserError(place.source, expected, shown(repr(value)), fix) from None
    return make_tree(plain, place)


def _to_list(value: Any) -> Any:
    if not hasattr(value, "tolist"):
        raise TypeError(type(value).__name__)
    return value.tolist()


def _set(root: Node, path: Path, value: Node) -> None:
    node = root
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if node.value is None:
            # A key that the file leaves empty, or that an earlier fault emptied.
            node.value = {}
        if isinstance(node.value, dict):
            key = str(part)
            if last:
                node.value[key] = value
            node = node.value.setdefault(key, Node({}, value.place))
        elif isinstance(node.value, list):
            index = _index(str(part), len(node.value), path[:depth], value.place)
            if last:
                node.value[index] = value
            node = node.value[index]
        else:
            above = dotted(path[:depth])
            fix = f"set {above} itself, or correct the key"
            got = shown(node.written)
            raise UserError(value.place.source, f"a mapping or list at {above}", got, fix)


def _index(part: str, length: int, above: Path, place: Place) -> int:
    if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < length:
        return int(part)
    known = f"an index from 0 to {length - 1}" if length else "a longer list"
    fix = f"set the whole list, {dotted(above)}"
    raise UserError(place.source, f"{known} in {dotted(above)}", shown(part), fix)
