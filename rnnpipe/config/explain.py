"""Explanations of pydantic's errors in terms of the file: line, key, expected, got, fix."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from rnnpipe.config.describe import closest, either, expected, listed, literal
from rnnpipe.config.json_schema import Schema
from rnnpipe.config.nodes import FaultList, Node, Path, dotted, shown
from rnnpipe.config.placed_defaults import Shape
from rnnpipe.config.suggest import choice, got, hint
from rnnpipe.errors import Faults, UserError

Detail = dict[str, Any]

# The errors that the schema's own words describe in full; of the rest, pydantic's are kept.
_DESCRIBED = re.compile(
    r".*_type|.*_parsing(_size)?|int_from_float|(greater|less)_than(_equal)?|multiple_of"
    r"|(string_)?too_(short|long)|string_pattern_mismatch|enum|literal_error|none_required|missing"
)

_EXPLAINED = 200  # of pydantic's errors, as each takes a millisecond


@dataclass(slots=True)
class Spot:
    """Where a location of pydantic leads.

    Args:
        path: keys and indices as the user wrote them.
        shape: the schema of the value.
        node: what was written there; None if nothing was.
        parent: the nearest node above.
        above: the shape of that parent.
        union: the first plain union on the way: its part of the location, and the member's label.
        sound: False if a fault was already reported on the way.
    """

    path: Path
    shape: Shape
    node: Node | None
    parent: Node
    above: Shape
    union: tuple[tuple[str | int, ...], str] | None = None
    sound: bool = True

    def step(self, part: str | int, schema: Schema) -> None:
        """Goes down by a key or an index."""
        above = schema.resolve(self.shape)
        node = self.node.child(part) if self.node else None
        self.parent, self.above, self.node = self.node or self.parent, above, node
        self.path, self.shape = (*self.path, part), schema.under(above, part)
        self.sound = self.sound and (node is None or node.sound)


def find(schema: Schema, root: Node, location: Iterable[str | int]) -> Spot:
    """Follows a location of pydantic, which names tags and members of unions besides keys."""
    spot = Spot((), schema.root, root, root, schema.root, sound=root.sound)
    location = tuple(location)
    for i, part in enumerate(location):
        shape = schema.resolve(spot.shape)
        variants = schema.variants(shape)
        if variants:
            spot.shape = variants.get(str(part), {})
        elif "anyOf" in shape:
            spot.union = spot.union or (location[:i], str(part))
            spot.shape = schema.member(shape, str(part), spot.node)
        elif part == "[key]" and spot.node:
            key = str(spot.path[-1])
            spot.shape = spot.above.get("propertyNames", {})
            spot.node = Node(key, spot.node.place, written=key)
        else:
            spot.step(part, schema)
    return spot


def translate(error: ValidationError, schema: Schema, root: Node, faults: FaultList) -> None:
    """Adds pydantic's errors to the faults, except where a fault was already reported."""
    details = error.errors(include_url=False, include_input=False)
    faults.left_out += len(details[_EXPLAINED:])
    found = [(dict(each), find(schema, root, each["loc"])) for each in details[:_EXPLAINED]]
    for detail, spot in _without_rivals(found, schema, root):
        if spot.sound:
            _tell(detail, spot, schema, faults)


def _without_rivals(
    found: list[tuple[Detail, Spot]], schema: Schema, root: Node
) -> list[tuple[Detail, Spot]]:
    # All members of a plain union failed. The one that was meant is the one whose faults lie
    # inside it, the fewest of them; if there is none, one fault reports the whole union.
    kept = [(detail, spot) for detail, spot in found if spot.union is None]
    groups: dict[Path, dict[str, list[tuple[Detail, Spot]]]] = {}
    for detail, spot in found:
        if spot.union is not None:
            location, label = spot.union
            groups.setdefault(location, {}).setdefault(label, []).append((detail, spot))
    for location, members in groups.items():
        whole = find(schema, root, location)
        depth = len(whole.path)
        inside = [m for m in members.values() if all(len(spot.path) > depth for _, spot in m)]
        inside.sort(key=_distance)
        kept += inside[0] if inside else [({"type": "union_type"}, whole)]
    return kept


def _distance(found: list[tuple[Detail, Spot]]) -> tuple[bool, int]:
    # A member with another literal, such as its kind, is further off than any count of faults.
    return any(detail["type"] == "literal_error" for detail, _ in found), len(found)


def _tell(detail: Detail, spot: Spot, schema: Schema, faults: FaultList) -> None:
    kind, node = detail["type"], spot.node or spot.parent
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        allowed, fix = _unknown_key(spot, schema)
        faults.add(node.place, spot.path, allowed, shown(str(spot.path[-1])) or "an empty one", fix)
    elif kind.startswith("union_tag_"):
        _tell_tag(spot, schema, faults)
    elif kind in ("value_error", "assertion_error"):
        _tell_raised(detail["ctx"]["error"], spot, schema, faults)
    elif kind == "missing" and isinstance(spot.path[-1], str):
        _report_missing(spot, schema, faults)
    elif kind == "missing":
        words = expected(schema, spot.above)
        faults.add(node.place, spot.path[:-1], words, got(spot.parent), "give every item")
    elif _DESCRIBED.fullmatch(kind):
        fix = hint(schema, spot.shape, spot.node)
        faults.add(node.place, spot.path, expected(schema, spot.shape), got(spot.node), fix)
    else:
        message = re.sub("^Input should be ", "", detail["msg"])
        fix = hint(schema, spot.shape, spot.node)
        faults.add(node.place, spot.path, shown(message, 200), got(spot.node), fix)


def _report_missing(spot: Spot, schema: Schema, faults: FaultList) -> None:
    place, path, words = spot.parent.place, spot.path, expected(schema, spot.shape)
    if place.prefix and (variants := schema.variants(spot.shape)):
        # A section has no flag of its own: its kind is what to write first.
        path, words = (*path, schema.tag_key(spot.shape)), either(list(variants))
    faults.add(place, path, words, "nothing", place.how_to_add(path))


def _unknown_key(spot: Spot, schema: Schema) -> tuple[str, str]:
    key, properties = str(spot.path[-1]), spot.above.get("properties", {})
    tags = [f"{name}: {literal(p['const'])}" for name, p in properties.items() if "const" in p]
    owner = f" of {dotted(spot.path[:-1])}" if len(spot.path) > 1 else ""
    owner += f" with {tags[0]}" if tags else ""
    allowed = f"a key{owner} ({listed(properties)})" if properties else "no keys here"
    match = closest(key, list(properties))
    known = schema.places_of(key)
    advice = [f"did you mean {match}?"] if match else []
    if dotted(spot.path) in known:
        advice.append("remove it, since only another kind has it")
    elif known:
        advice.append(f"{shown(key)} belongs at {either(known[:3])}")
    return allowed, " or: ".join(advice) or "remove it"


def _tell_tag(spot: Spot, schema: Schema, faults: FaultList) -> None:
    union, node = schema.resolve(spot.shape), spot.node or spot.parent
    key, tags = schema.tag_key(union), list(schema.variants(union))
    tag = node.child(key)
    if tag is None or not tag.sound:
        if tag is None:
            path = (*spot.path, key)
            fix = node.place.how_to_add(path)
            faults.add(node.place, path, either(tags), "nothing", fix)
        return
    faults.add(tag.place, (*spot.path, key), either(tags), got(tag), choice(tag.written, tags))


def _tell_raised(raised: Exception, spot: Spot, schema: Schema, faults: FaultList) -> None:
    for fault in raised.faults if isinstance(raised, Faults) else [raised]:
        node = spot.node or spot.parent
        if isinstance(fault, UserError):
            below = _below(spot, fault.where, schema)
            node = below.node or below.parent
            faults.add(node.place, below.path, fault.expected, fault.got, fault.fix)
        else:
            fix = shown(str(fault), 200) or "correct the value"
            faults.add(node.place, spot.path, "a value that fits", got(spot.node), fix)


def _below(spot: Spot, where: str, schema: Schema) -> Spot:
    # A validator's UserError may name a key below the validator's own place.
    spot = replace(spot)
    for part in where.split("."):
        step = int(part) if part.isdecimal() else part
        if not schema.under(spot.shape, step) and not (spot.node and spot.node.child(step)):
            break
        spot.step(step, schema)
    return spot
