"""JSON schemas whose keys have the defaults that hold at their places."""

import json
from collections.abc import Mapping
from typing import Any

Shape = dict[str, Any]

_REFERENCE = "#/$defs/"


def place_defaults(schema: Shape) -> Shape:
    """A JSON schema in which every key has the default that holds where it is.

    pydantic describes a class once, with the defaults of its own. Where a section's default is a
    section with other values, e.g. an attention of 64 units where its class has 256, the keys of
    that section have those values: they are described by a copy of the class's definition. There
    they are not required either; the key `kind` is, unless the kind is that of the default.

    Args:
        schema: of pydantic.
    """
    definitions = schema.get("$defs", {})
    placer = _Placer(definitions)
    placed = placer.place({key: value for key, value in schema.items() if key != "$defs"})
    return {**placed, "$defs": placer.definitions} if definitions else placed


class _Placer:
    """Copies definitions, one for each set of defaults.

    Args:
        originals: the definitions of the schema.
    """

    def __init__(self, originals: Mapping[str, Shape]) -> None:
        self._originals = originals
        self._names: dict[str, str] = {}  # by what the copies differ in
        self.definitions: dict[str, Shape] = {}

    def place(self, shape: Any, section: Any = None) -> Any:
        """A part of the schema.

        Args:
            shape: the part.
            section: the default of the section that it describes; None: its class's.
        """
        if isinstance(shape, list):
            return [self.place(member, section) for member in shape]
        if not isinstance(shape, dict):
            return shape
        section = shape.get("default", section)
        if "discriminator" in shape:
            return self._place_kinds(shape, section)
        placed: Shape = {}
        for key, value in shape.items():
            if key == "$ref":
                placed[key] = self._refer(value, section)
            elif key == "properties":
                placed[key] = {name: self.place(child) for name, child in value.items()}
            else:
                is_section = key == "anyOf" and sum(map(_is_section, value)) == 1
                below = section if is_section else None
                placed[key] = value if key == "default" else self.place(value, below)
        return placed

    def _place_kinds(self, shape: Shape, section: Any) -> Shape:
        """A union with a discriminator: the key `kind` selects the member."""
        discriminator = shape["discriminator"]
        key = discriminator["propertyName"]
        kind = section.get(key) if isinstance(section, dict) else None
        mapping = {
            tag: self._refer(reference, section if tag == kind else None, required=key)
            for tag, reference in discriminator["mapping"].items()
        }
        members = [{"$ref": reference} for reference in mapping.values()]
        return {**shape, "discriminator": {**discriminator, "mapping": mapping}, "oneOf": members}

    def _refer(self, reference: str, section: Any, required: str = "") -> str:
        """The reference to the copy of a definition that has the values of a section.

        Args:
            reference: to the definition.
            section: the section; None: the class's own values.
            required: a key that has to be written where there is no section.
        """
        name = reference.removeprefix(_REFERENCE)
        original = self._originals[name]
        values = section if isinstance(section, dict) and "properties" in original else None
        needs = required if values is None else ""
        differs_in = json.dumps([name, values, needs], sort_keys=True)
        if differs_in not in self._names:
            used = sum(known == name or known.startswith(f"{name}-") for known in self.definitions)
            copy = self._names[differs_in] = f"{name}-{used + 1}" if used else name
            self.definitions[copy] = {}  # it may refer to itself
            self.definitions[copy] = self.place(_describe(original, values or {}, needs))
        return _REFERENCE + self._names[differs_in]


def _is_section(member: Shape) -> bool:
    return member.get("type") != "null"


def _describe(original: Shape, values: Mapping[str, Any], needs: str) -> Shape:
    """A definition with other defaults, and perhaps a key that has to be written."""
    if not values and not needs:
        return original
    properties = {
        key: {**child, "default": values[key]} if key in values else child
        for key, child in original["properties"].items()
    }
    required = [key for key in original.get("required", []) if key not in values]
    if needs and needs not in required:
        required.append(needs)
    described = {key: value for key, value in original.items() if key != "required"}
    return {**described, "properties": properties, **({"required": required} if required else {})}
