"""How a value that does not fit is shown, and what its writer can do about it."""

import json

from rnnpipe.config.describe import closest, count, listed, literal, values
from rnnpipe.config.json_schema import Schema
from rnnpipe.config.nodes import Node, shown
from rnnpipe.config.placed_defaults import Shape
from rnnpipe.config.scalars import as_number

_YES = {"yes", "y", "on", "true", "1"}
_NO = {"no", "n", "off", "false", "0"}
_NUMBERS = {"integer", "number"}


def got(node: Node | None) -> str:
    """What was written, in a few words."""
    if node is None:
        return "nothing"
    if isinstance(node.value, dict):
        return f"a mapping of {listed(node.value, 4)}" if node.value else "an empty mapping"
    if isinstance(node.value, list):
        return f"a list of {count(len(node.value))}" if node.value else "an empty list"
    if isinstance(node.value, str):
        return f'"{shown(node.value)}"'
    return shown(node.written) or "nothing"


def hint(schema: Schema, shape: Shape, node: Node | None) -> str:
    """What to write instead.

    Args:
        schema: the schema.
        shape: the schema of the value.
        node: what is there.
    """
    suggestion = None
    options = schema.options(shape)
    if node is not None and isinstance(node.value, str):
        suggestion = _for_word(options, node.value) or _for_structure(schema, options, node.value)
    elif node is not None and isinstance(node.value, bool | int | float):
        suggestion = _for_number(options, node.value, node.written)
        suggestion = suggestion or _for_structure(schema, options, node.written)
    resolved = schema.resolve(shape)
    if suggestion is None and "default" in resolved:
        default = resolved["default"]
        suggestion = f"the default is {shown(json.dumps(default, ensure_ascii=False))}"
    return suggestion or "correct the value"


def choice(word: str, known: list[str]) -> str:
    """What to do about a word that is none of those known."""
    match = closest(word, known)
    return f"did you mean {match}?" if match else "write one of these"


def _kinds(options: list[Shape]) -> set[str]:
    return {str(option.get("type")) for option in options}


def _for_word(options: list[Shape], text: str) -> str | None:
    kinds, word = _kinds(options), text.strip().lower()
    known = [literal(value) for option in options for value in values(option)]
    number = as_number(text) if kinds & _NUMBERS else None
    if number is not None:
        return f"write {number}, without quotes"
    if "boolean" in kinds and word in _YES | _NO:
        return f"write {'true' if word in _YES else 'false'}, without quotes"
    if word in ("none", "nil", "null"):
        return "write null, without quotes"
    return choice(text, known) if known else None


def _for_structure(schema: Schema, options: list[Shape], text: str) -> str | None:
    if _kinds(options) & (_NUMBERS | {"string", "boolean"}):
        return None
    for option in options:
        if option.get("type") == "array":
            return f"write [{shown(text)}]"
        for key, tags in _tags(schema, option).items():
            if match := closest(text, tags):
                return f"write {{{key}: {match}}}, or its keys on lines of their own"
        if option.get("properties") or schema.variants(option):
            return "indent its keys on the lines below"
    return None


def _tags(schema: Schema, option: Shape) -> dict[str, list[str]]:
    if variants := schema.variants(option):
        return {schema.tag_key(option): list(variants)}
    properties = option.get("properties", {}).items()
    return {key: [literal(shape["const"])] for key, shape in properties if "const" in shape}


def _for_number(options: list[Shape], value: float, written: str) -> str | None:
    kinds = _kinds(options)
    if kinds & _NUMBERS:
        whole = isinstance(value, float) and value.is_integer() and "number" not in kinds
        return f"write {int(value)}" if whole else None
    if "string" in kinds:
        return f'put it in quotes: "{shown(written)}"'
    if "boolean" in kinds and value in (0, 1):
        return f"write {json.dumps(bool(value))}"
    return None
