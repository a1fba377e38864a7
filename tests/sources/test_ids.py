import math

import pytest

from rnnpipe.sources.ids import hash_id, is_id, read_id


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (9, 9), ("9", 9), (" 009 ", 9), (9.0, 9), (2**63 - 1, 2**63 - 1)],
)
def test_numbers_in_any_form(value, number):
    assert read_id(value) == number


@pytest.mark.parametrize(
    "value", [None, True, -1, 9.5, math.nan, math.inf, "", " ", [9], {}, 2**63, 1e300]
)
def test_other_values_are_no_ids(value):
    assert read_id(value) is None


@pytest.mark.parametrize("text", ["img_13", "-1", "9.5", "9" * 30, "\u0663", "\ud83d"])
def test_other_texts_have_numbers_of_their_own(text):
    assert is_id(read_id(text))
    assert read_id(text) == hash_id(text) != hash_id(text + "x")
