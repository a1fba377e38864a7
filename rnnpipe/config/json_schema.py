"""What a model allows at each place, read from its JSON schema."""

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from rnnpipe.config.nodes import Node, Path, dotted
from rnnpipe.config.placed_defaults import Shape, place_defaults
from rnnpipe.settings import reading_kinds

_ADAPTERS: dict[tuple[type, frozenset[str] | None], TypeAdapter[Any]] = {}


def adapter_of(model: type, kinds: frozenset[str] | None = None) -> TypeAdapter[Any]:
    """What checks and describes a class of settings; it is made once.

    Args:
        model: the class: `Settings`, or any that pydantic can check.
        kinds: the kinds of sections that it reads; None: all that there are.
    """
    if (model, kinds) not in _ADAPTERS:
        with reading_kinds(kinds):
            _ADAPTERS[model, kinds] = TypeAdapter(model)
    return _ADAPTERS[model, kinds]


class Schema:
    """The JSON schema of a model, walked along with the values that it describes.

    Args:
        model: the class of the configuration: `Settings`, or any that pydantic can check.
    """

    def __init__(self, model: type) -> None:
        described = adapter_of(model).json_schema(by_alias=True, mode="validation")
        self.root: Shape = place_defaults(described)
        self._definitions: dict[str, Shape] = self.root.get("$defs", {})

    def resolve(self, shape: Shape) -> Shape:
        """The shape with its reference followed, and `X | None` taken for X."""
        while True:
            members = [member for member in shape.get("anyOf", []) if member.get("type") != "null"]
            if "$ref" in shape:
                target = self._definitions[shape["$ref"].rsplit("/", 1)[1]]
            elif len(members) == 1:
                target = members[0]
            else:
                return shape
            rest = {key: value for key, value in shape.items() if key not in ("$ref", "anyOf")}
            shape = {**target, **rest}

    def variants(self, shape: Shape) -> dict[str, Shape]:
        """The variants of a discriminated union by their tag; empty for any other shape."""
        mapping = self.resolve(shape).get("discriminator", {}).get("mapping", {})
        return {tag: self.resolve({"$ref": reference}) for tag, reference in mapping.items()}

    def tag_key(self, shape: Shape) -> str:
        """The key that discriminates the variants of a union."""
        return str(self.resolve(shape)["discriminator"]["propertyName"])

    def options(self, shape: Shape) -> list[Shape]:
        """The members of a plain union, or else the shape alone."""
        shape = self.resolve(shape)
        members = shape.get("anyOf", [])
        return [option for member in members for option in self.options(member)] or [shape]

    def member(self, shape: Shape, label: str, node: Node | None) -> Shape:
        """The member of a plain union that pydantic calls `label`, by its name or by the data."""
        members = [self.resolve(member) for member in self.resolve(shape)["anyOf"]]
        is_mapping = node is not None and isinstance(node.value, dict)
        is_list = node is not None and isinstance(node.value, list)
        for member in members:
            if member.get("title") == label:
                return member
        for member in members:
            if is_mapping and ("oneOf" in member or member.get("type") == "object"):
                return member
            if is_list and member.get("type") == "array":
                return member
        return members[0]

    def under(self, shape: Shape, part: str | int) -> Shape:
        """The shape of a key's value or of an item; `{}` where the schema has none."""
        shape = self.resolve(shape)
        if isinstance(part, str):
            known: Shape = shape.get("properties", {})
            rest = shape.get("additionalProperties")
            return known.get(part) or (rest if isinstance(rest, dict) else {})
        fixed = shape.get("prefixItems", [])
        return fixed[part] if part < len(fixed) else shape.get("items") or {}

    def places_of(self, key: str) -> list[str]:
        """Where in the schema a key of this name is known, as dotted paths, the shortest first."""
        paths = {dotted(path) for path in self._paths(self.root, (), ()) if path[-1] == key}
        return sorted(paths, key=lambda path: (path.count("."), path))

    def _paths(self, shape: Shape, path: Path, seen: tuple[str, ...]) -> Iterator[Path]:
        if "$ref" in shape:
            shape = self.resolve({"$ref": shape["$ref"]})
            if (title := str(shape.get("title"))) in seen:
                # A recursive model is described once, whatever the defaults at its places.
                return
            seen = (*seen, title)
        for member in [*shape.get("anyOf", []), *shape.get("oneOf", [])]:
            yield from self._paths(member, path, seen)
        for key, child in shape.get("properties", {}).items():
            yield (*path, key)
            yield from self._paths(child, (*path, key), seen)
