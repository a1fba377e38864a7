import math

import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.labels import read_label, read_optional_label


@pytest.mark.parametrize(
    ("value", "name"),
    [("red", "red"), (" red\n", "red"), ("\ufeffred", "red"), (0, "0"), (-3, "-3"), ("1.5", "1.5")],
)
def test_labels_become_names(value, name):
    assert read_label(value) == name
    assert read_optional_label(value) == name


@pytest.mark.parametrize(
    "value",
    [False, True, 1.5, 1.0, math.nan, math.inf, ["x"], {}, {"a": 1}, "\ud83d", "\ufeff"],
)
def test_other_values_are_not_converted_to_names(value):
    for read in (read_label, read_optional_label):
        with pytest.raises(BadRecord, match=r"^read label: "):
            read(value)


def test_a_number_that_python_cannot_print_is_no_name():
    with pytest.raises(BadRecord, match="a number of thousands of digits"):
        read_label(10**5000)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_labels_are_accepted_only_where_optional(value):
    assert read_optional_label(value) is None
    with pytest.raises(BadRecord, match="not the name of a class"):
        read_label(value)
