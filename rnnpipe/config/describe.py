"""Descriptions of what a schema expects, in plain words."""

import difflib
import json
from collections.abc import Iterable, Sequence

from rnnpipe.config.json_schema import Schema
from rnnpipe.config.nodes import shown
from rnnpipe.config.placed_defaults import Shape
from rnnpipe.settings import value_text

_FORMATS = {
    "path": "a path",
    "file-path": "the path of a file",
    "directory-path": "the path of a folder",
    "date": "a date such as 2020-12-31",
}


def expected(schema: Schema, shape: Shape) -> str:
    """What the schema expects, e.g. `a positive integer`, or `sum, mean or null`."""
    null = {"type": "null"}
    wanted = [option for option in schema.options(shape) if option != null]
    words = dict.fromkeys(_expected(schema, option) for option in wanted)
    nullable = null in shape.get("anyOf", []) or not wanted
    return either([*words, "null"] if nullable else list(words))


def _expected(schema: Schema, shape: Shape) -> str:
    if "const" in shape or "enum" in shape:
        return either([literal(value) for value in values(shape)])
    if tags := schema.variants(shape):
        return f"a mapping whose {schema.tag_key(shape)} is {either(list(tags))}"
    if members := shape.get("oneOf"):
        return either(list(dict.fromkeys(expected(schema, member) for member in members)))
    match shape.get("type"):
        case "integer" | "number" as noun:
            words = number_words(noun, shape)
        case "string":
            words = text_words(shape)
        case "array":
            words = _list_words(schema, shape)
        case "object":
            words = _mapping_words(schema, shape)
        case other:
            words = {"boolean": "true or false", "null": "null"}.get(str(other), "a value")
    return words


def number_words(noun: str, shape: Shape) -> str:
    """E.g. `a positive integer`, `a number from 0 to 1`, `a number above 0 and below 1`."""
    least, most = shape.get("minimum"), shape.get("maximum")
    above, below = shape.get("exclusiveMinimum"), shape.get("exclusiveMaximum")
    article = "an" if noun == "integer" else "a"
    bounds = {"of at least": least, "above": above, "of at most": most, "below": below}
    text = [f"{words} {value_text(bound)}" for words, bound in bounds.items() if bound is not None]
    if text == ["above 0"] or (noun == "integer" and text == ["of at least 1"]):
        words = f"a positive {noun}"
    elif least is not None and most is not None:
        words = f"{article} {noun} from {value_text(least)} to {value_text(most)}"
    else:
        words = " ".join([f"{article} {noun}", *([" and ".join(text)] if text else [])])
    step = shape.get("multipleOf")
    return f"{words} that is a multiple of {value_text(step)}" if step else words


def text_words(shape: Shape) -> str:
    """E.g. `text`, `a path`, `text of 1 to 8 characters`."""
    form = shape.get("format")
    text = _FORMATS.get(form, f"text in the format {form}") if form else "text"
    least, most = shape.get("minLength"), shape.get("maxLength")
    if least and most:
        text += f" of {least} to {most} characters"
    elif most:
        text += f" of at most {most} characters"
    elif least == 1:
        text += " that is not empty"
    elif least:
        text += f" of at least {least} characters"
    return f"{text} that matches {shape['pattern']}" if "pattern" in shape else text


def _list_words(schema: Schema, shape: Shape) -> str:
    least, most = shape.get("minItems", 0), shape.get("maxItems")
    if least == most:
        size = f"a list of {count(least)}"
    elif most is not None:
        size = f"a list of {least} to {count(most)}"
    else:
        size = f"a list of at least {count(least)}" if least else "a list"
    if fixed := shape.get("prefixItems"):
        return f"{size}: {', '.join(expected(schema, item) for item in fixed)}"
    return f"{size}, each {expected(schema, shape['items'])}" if shape.get("items") else size


def _mapping_words(schema: Schema, shape: Shape) -> str:
    if keys := shape.get("properties"):
        return f"a mapping with the key{'' if len(keys) == 1 else 's'} {listed(keys)}"
    items = shape.get("additionalProperties")
    if not isinstance(items, dict) or not items:
        return "a mapping"
    return f"a mapping, each value {expected(schema, items)}"


def values(shape: Shape) -> list[object]:
    """The values that a literal or an enumeration allows; none for any other shape."""
    return list(shape.get("enum", [shape["const"]] if "const" in shape else []))


def literal(value: object) -> str:
    """A literal of a schema as YAML spells it."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def either(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def listed(keys: Iterable[str], limit: int = 16) -> str:
    """Keys in a row, the last of many left out."""
    names = [shown(key) for key in keys]
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")


def count(items: int) -> str:
    """`1 item`, `2 items`."""
    return f"{items} item" if items == 1 else f"{items} items"


def closest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    lower = {name.lower(): name for name in reversed(known)}
    matches = difflib.get_close_matches(word.lower(), list(lower), 1)
    return lower[matches[0]] if matches else None
