import math

import pytest

from rnnpipe.config.scalars import Refused, as_number, read_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5e3", 500.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("01.5", 1.5),
        ("+7", 7),
        ("-0", 0),
        ("0", 0),
        ("0.0e99", 0.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("-.inf", -math.inf),
    ],
)
def test_numbers_booleans_and_null(text, value):
    assert read_scalar(text) == value
    assert type(read_scalar(text)) is type(value)


WORDS = "no Yes on OFF y True NULL None 1:30 190:20:30 2020-12-31 0x1F 0o10 0b1 1_000 1,5 e5 1e . -"


@pytest.mark.parametrize("text", [*WORDS.split(), "--1", "1-2", "inf", "nan", "٣"])
def test_other_scalars_are_strings(text):
    assert read_scalar(text) == text


def test_nan_is_read():
    value = read_scalar(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("010", 'write 10 or 8 (YAML 1.1 reads it as octal), or "010" for text'),
        ("-017", 'write -17 or -15 (YAML 1.1 reads it as octal), or "-017" for text'),
        ("007", 'write 7, or "007" for text'),
        ("019", 'write 19, or "019" for text'),
        ("00", 'write 0, or "00" for text'),
        ("1e400", "write a number nearer to 1"),
        ("1e-400", "write a number nearer to 1"),
        ("9" * 301, "write a number nearer to 1"),
    ],
)
def test_ambiguous_yaml_is_refused(text, fix):
    refused = read_scalar(text)
    assert isinstance(refused, Refused)
    assert refused.fix == fix


NUMBERS = {"0x1F": 31, "1_000": 1000, "0,5": 0.5, " 5": 5, "1e3": 1000.0}
NUMBERS |= {"x": None, "true": None, "1,2,3": None, "0x" + "f" * 400: None}


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_hints_interpret_other_notations_of_numbers(text, number):
    assert as_number(text) == number
