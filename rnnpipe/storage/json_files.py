"""JSON that others have written, or that a disk has damaged: read with one kind of error."""

import json
from collections.abc import Callable, Collection, Hashable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from rnnpipe.storage.whole_files import read_whole

T = TypeVar("T")

MAX_DEPTH = 100
"""How deep JSON may be nested: what is deeper is no data, and Python's own functions fail on it."""

MAX_BYTES = 1 << 28
"""The size that a file may have which is all JSON of ours, such as a manifest."""

EXACT: Mapping[str, str] = MappingProxyType({"extra": "forbid"})
"""The `__pydantic_config__` of a dataclass that is made of an object without any other keys."""

_CONTAINERS = (dict, list)


class RepeatedKeyError(ValueError):
    """An object of JSON has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r:.100} twice")


def parse_json(
    text: str | bytes,
    make_object: Callable[[dict[str, Any]], Any] | None = None,
    fold_key: Callable[[str], str] | None = None,
) -> Any:
    """The value of a JSON text.

    Args:
        text: the text, or its bytes.
        make_object: what becomes of each object (`json.loads`' `object_hook`).
        fold_key: the form in which keys are compared and returned.

    Raises:
        RepeatedKeyError: an object has a key twice, of which `json.loads` drops the first.
        ValueError: the text is no JSON, or nested deeper than `MAX_DEPTH`.

    Example:
        >>> parse_json('{"a": [1]}')
        {'a': [1]}
        >>> parse_json('{"a": 1, "a": 2}')
        Traceback (most recent call last):
            ...
        rnnpipe.storage.json_files.RepeatedKeyError: the key 'a' twice
    """

    def build(pairs: list[tuple[str, Any]]) -> Any:
        if fold_key is not None:
            pairs = [(fold_key(key), value) for key, value in pairs]
        content = _unique(pairs)
        return content if make_object is None else make_object(content)

    try:
        value = json.loads(text, object_pairs_hook=build)
    except RecursionError:
        value = None
        is_deep = True
    else:
        is_deep = _is_deep(value)
    if is_deep:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    return value


def parse_json_as(kind: type[T], text: str | bytes) -> T:
    """The value of a JSON text, if it is of a type.

    Args:
        kind: a type that pydantic knows; a dataclass is made of an object, which may have more
            keys, unless its `__pydantic_config__` is `EXACT`.
        text: the text, or its bytes.

    Raises:
        ValueError: as `parse_json`, or for a value of another type.

    Example:
        >>> parse_json_as(list[str], '["neg", "pos"]')
        ['neg', 'pos']
        >>> parse_json_as(dict[str, list[int]], '{"a": [1, "b"]}')
        Traceback (most recent call last):
            ...
        ValueError: a.1: input should be a valid integer
    """
    return validate(kind, parse_json(text))


def validate(kind: type[T], content: Any) -> T:
    """What was parsed, if it is of a type; see `parse_json_as`.

    Args:
        kind: the type.
        content: the value of a JSON text. Keys that a dataclass has no field for may have anything.

    Raises:
        ValueError: it is of another type.
    """
    from pydantic import ValidationError  # noqa: PLC0415  # not where kernels and layers are used

    if isinstance(content, dict) and getattr(kind, "__pydantic_config__", None) != EXACT:
        fields = getattr(kind, "__dataclass_fields__", content)
        content = {key: value for key, value in content.items() if key in fields}
    # Once more as JSON, since pydantic's strict mode then makes dataclasses of objects. It takes no
    # halves of characters, which names of files may have: they stay in what is returned as it is.
    written = json.dumps(content, ensure_ascii=False)
    unicode = written.encode(errors="replace")
    try:
        value: T = _adapter(cast(Hashable, kind)).validate_json(unicode, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"][:1].lower() + first["msg"][1:]
        raise ValueError(f"{where:.100}: {what}" if where else what) from None
    if unicode.decode() == written:
        return value
    if type(value) not in _CONTAINERS:
        raise ValueError("invalid JSON: half of a surrogate pair")
    return cast(T, content)


def read_json_as(kind: type[T], path: Path) -> T:
    """The value of a JSON file, if it is of a type; see `parse_json_as`.

    Raises:
        OSError: the file is missing, no regular one, or has more than `MAX_BYTES`.
        ValueError: it is no JSON in UTF-8, or of another type.
    """
    return parse_json_as(kind, read_whole(path, MAX_BYTES).decode())


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  # as above

    return TypeAdapter(kind)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen = set[str]()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKeyError(key)
            seen.add(key)
    return content


def _is_deep(value: Any) -> bool:
    level: Collection[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            if type(parent) in _CONTAINERS
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True
