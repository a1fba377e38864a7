"""JSON of others: whatever it is, a value or one kind of error, at once."""

import os
from dataclasses import dataclass

import pytest

from rnnpipe.storage.json_files import (
    EXACT,
    MAX_DEPTH,
    RepeatedKeyError,
    parse_json,
    parse_json_as,
    read_json_as,
)
from tests.fuzz.limits import limited


@dataclass(frozen=True)
class Named:
    name: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Exact:
    __pydantic_config__ = EXACT

    name: str = "x"


def nested(depth):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ('{"a": ', "Expecting value"),
        (b"\xff", "can't decode byte 0xff"),
        ("9" * 5000, "Exceeds the limit"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "the key 'c' twice"),
        (nested(MAX_DEPTH + 2), "nested deeper than 100 levels"),
        (nested(100_000), "nested deeper than 100 levels"),
        ('{"a":' * 900 + "1" + "}" * 900, "nested deeper than 100 levels"),
    ],
)
def test_what_is_no_json_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_what_is_json_is_read():
    assert parse_json(nested(MAX_DEPTH)) is not None
    assert parse_json('{"\u00e9": 1}'.encode("utf-16")) == {"\u00e9": 1}
    assert parse_json('{"A": {"B": 1}}', fold_key=str.lower) == {"a": {"b": 1}}
    assert parse_json('[{"a": 1}]', make_object=len) == [1]
    with pytest.raises(RepeatedKeyError):
        parse_json('{"A": 1, "a": 2}', fold_key=str.lower)


def test_a_key_that_comes_twice_among_many_is_found_at_once(tmp_path):
    pairs = ",".join(f'"{number}":0' for number in [*range(300_000), 299_999])
    with limited(tmp_path), pytest.raises(RepeatedKeyError, match="the key '299999' twice"):
        parse_json(f"{{{pairs}}}")


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (Named, "[]", "input should be an object"),
        (Named, '{"name": "a"}', "counts: field required"),
        (Named, '{"name": "a", "counts": {"b": "1"}}', "counts.b: input should be a valid integer"),
        (Named, '{"name": "\\ud800", "counts": {}}', "invalid JSON"),
        (Exact, '{"names": "a"}', "names: unexpected"),
        (list[str], '["a", null]', "1: input should be a valid string"),
    ],
)
def test_json_of_another_type_is_refused(kind, text, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_json_as(kind, text)


def test_json_of_a_type_is_made_of_it(tmp_path):
    text = '{"name": "a", "counts": {"b": 1}, "more": "\\ud800"}'
    assert parse_json_as(Named, text) == Named("a", {"b": 1})
    (tmp_path / "a.json").write_text(text)
    assert read_json_as(Named, tmp_path / "a.json") == Named("a", {"b": 1})


def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros", "none", ""):
        with limited(tmp_path), pytest.raises(OSError, match=r"pipe or a device|No such|directory"):
            read_json_as(Named, tmp_path / name)
