"""Default sections: a key that is written never changes the defaults of the keys beside it."""

from typing import Any

from rnnpipe.config.json_schema import Schema, Shape


def fill_defaults(value: Any, schema: Schema, shape: Shape) -> Any:
    """A value whose sections have all the keys of the sections that are their defaults.

    A setting's default may be a section with values of its own, e.g. an attention of 64 units where
    its class has 256. Whoever writes one key of such a section keeps the others; whoever writes
    another `kind` gets that kind's own defaults.

    Args:
        value: what was written, as JSON has it.
        schema: the schema.
        shape: what it wants at this place.
    """
    if isinstance(value, list):
        return [fill_defaults(item, schema, schema.under(shape, i)) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    resolved = schema.resolve(shape)
    if isinstance(default := resolved.get("default"), dict):
        value = _overlay(default, value)
    if variants := schema.variants(resolved):
        resolved = variants.get(str(value.get(schema.tag_key(resolved))), {})
    if not resolved.get("properties"):
        return value
    return {
        key: fill_defaults(item, schema, schema.under(resolved, key)) for key, item in value.items()
    }


def _overlay(default: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if value.get("kind", default.get("kind")) != default.get("kind"):
        return value
    merged = dict(default)
    for key, item in value.items():
        under = default.get(key)
        both = isinstance(under, dict) and isinstance(item, dict)
        merged[key] = _overlay(under, item) if both else item  # type: ignore[arg-type]  # a dict
    return merged
