"""Penalties by hand."""

import math

import numpy as np
import pytest

from rnnpipe.decoding import average_length, gnmt_coverage, gnmt_length
from rnnpipe.errors import UserError


@pytest.mark.parametrize(
    ("alpha", "length", "penalty"),
    [(0.0, 9.0, 1.0), (1.0, 1.0, 1.0), (1.0, 7.0, 2.0), (0.5, 19.0, 2.0), (2.0, 13.0, 9.0)],
)
def test_gnmt_length_equals_its_definition(alpha, length, penalty):
    assert gnmt_length(alpha)(length) == penalty


@pytest.mark.parametrize("alpha", [-11, 10.5, 1000])
def test_an_exponent_whose_powers_no_float_holds_is_refused(alpha):
    with pytest.raises(UserError, match="alpha: expected a number from -10 to 10, got"):
        gnmt_length(alpha)
    assert 0 < gnmt_length(math.copysign(10, alpha))(np.float32(5000)) < math.inf


def test_average_length_is_the_length():
    np.testing.assert_array_equal(average_length(np.array([1.0, 4.0])), [1.0, 4.0])


def test_gnmt_coverage_equals_its_definition():
    coverage = np.array([[[0.5, 1.0, 0.25], [1.5, 0.75, 0.75]]], "float32")
    expected = [[0.3 * math.log(0.5 * 0.25), 0.3 * math.log(0.75 * 0.75)]]
    np.testing.assert_allclose(gnmt_coverage(0.3)(coverage), expected, rtol=1e-5)


def test_coverage_of_padding_does_not_count():
    coverage = np.array([[[0.5, 0.0]], [[0.5, 0.25]]], "float32")
    penalty = gnmt_coverage(1.0, mask=np.array([[True, False], [True, True]]))
    expected = [[math.log(0.5)], [math.log(0.125)]]
    np.testing.assert_allclose(penalty(coverage), expected, rtol=1e-5)


def test_a_mask_counts_for_each_glimpse():
    coverage = np.array([[[0.5, 0.1, 0.25, 0.2]]], "float32")  # two glimpses at two positions
    penalty = gnmt_coverage(1.0, mask=np.array([[True, False]]))
    np.testing.assert_allclose(penalty(coverage), [[math.log(0.5 * 0.25)]], rtol=1e-5)


def test_the_penalty_of_an_uncovered_position_is_finite():
    penalty = float(gnmt_coverage(1.0)(np.zeros((1, 1, 2), "float32"))[0, 0])
    assert -200 < penalty < -100


def test_a_positive_coverage_penalty_is_refused():
    with pytest.raises(UserError, match=r"beta: expected 0 or more, got -0\.1"):
        gnmt_coverage(-0.1)
