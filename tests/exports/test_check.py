"""Exports are compared with their runs number by number."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.exports.check import Call, compare_calls

EXPECTED = {"ids": np.array([[4, 5], [6, 7]]), "scores": np.array([1.0, 2000.0], "float32")}


def compare(**outputs):
    call = Call("search", {}, {}, EXPECTED)
    return compare_calls({"search": lambda arrays: {**EXPECTED, **outputs}}, [call])


def test_equal_outputs_differ_by_nothing():
    comparison = compare()
    assert (comparison.rows, comparison.made_up_rows) == (2, 0)
    assert (comparison.equal_ids, comparison.largest_difference) == (1.0, 0.0)
    comparison.check("export")


def test_large_numbers_are_compared_relatively():
    largest = compare(scores=np.array([1.0, 2000.1])).largest_difference
    assert largest == pytest.approx(5e-5, rel=1e-2)


@pytest.mark.parametrize(
    "outputs",
    [
        {"scores": np.array([np.nan, 2000.0])},
        {"scores": np.array([np.inf, 2000.0])},
        {"scores": np.array([1.001, 2000.0])},
        {"scores": np.array([[1.0], [2000.0]])},
        {"ids": np.array([[4, 5], [6, 8]])},
    ],
    ids=["nan", "infinite", "far", "shape", "ids"],
)
def test_other_outputs_are_refused(outputs):
    with pytest.raises(UserError, match="expected the answers of the run, got"):
        compare(**outputs).check("export")


def test_what_is_no_number_in_both_is_equal():
    nan = {"scores": np.array([np.nan, -np.inf])}
    comparison = compare_calls({"call": lambda arrays: nan}, [Call("call", {}, {}, nan, True)])
    assert comparison.largest_difference == 0.0
    assert comparison.made_up_rows == 2
