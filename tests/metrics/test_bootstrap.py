import math

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics.bootstrap import paired_bootstrap


def divide(sums):
    return float(sums[0] / sums[1])


def counts(*answers):
    """The statistics of accuracies: right, 1."""
    right = np.array(answers, float)
    return np.stack([right, np.ones_like(right)], axis=-1)


@pytest.fixture
def statistics():
    random = np.random.default_rng(3)
    first, second, third = (random.random(80) < share for share in (0.6, 0.75, 0.7))
    return counts(first, second, third)


def bootstrap_by_loops(statistics, resamples, seed):
    """The metric of every resample and system, record by record."""
    random = np.random.default_rng(seed)
    records = statistics.shape[1]
    drawn = []
    for _ in range(resamples):
        chosen = [int(record) for record in random.integers(records, size=records)]
        drawn.append([divide(sum(system[record] for record in chosen)) for system in statistics])
    return np.array(drawn)


def test_it_equals_a_bootstrap_record_by_record(statistics):
    result = paired_bootstrap(statistics, divide, resamples=200, seed=5)
    drawn = bootstrap_by_loops(statistics, 200, 5)
    values = statistics[:, :, 0].mean(axis=1)
    for system, score in enumerate(result.scores):
        assert score.value == pytest.approx(values[system])
        expected = np.percentile(drawn[:, system], [2.5, 97.5])
        np.testing.assert_allclose([score.low, score.high], expected)
    for system, difference in enumerate(result.differences, start=1):
        gaps = drawn[:, system] - drawn[:, 0]
        assert difference.value == pytest.approx(values[system] - values[0])
        np.testing.assert_allclose(
            [difference.low, difference.high], np.percentile(gaps, [2.5, 97.5])
        )
        against = sum(gap <= 0 for gap in gaps)  # both are better than the first
        assert difference.p == (against + 1) / 201


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation():
    right = np.arange(2000) < 1200
    (score,) = paired_bootstrap(counts(right), divide).scores
    half = 1.96 * math.sqrt(0.6 * 0.4 / 2000)
    assert score.low == pytest.approx(0.6 - half, abs=0.003)
    assert score.high == pytest.approx(0.6 + half, abs=0.003)


def test_pairing_makes_differences_of_like_systems_certain():
    right = np.arange(400) % 2
    better = right.copy()
    better[:30:2] = 1  # all that the first has right, and 15 more
    result = paired_bootstrap(counts(right, better), divide)
    (difference,) = result.differences
    assert difference.p == 1 / 1001
    assert 0 < difference.low < 15 / 400 < difference.high
    assert result.scores[1].low < result.scores[0].high  # unpaired nothing could be said


def test_a_system_does_not_differ_from_itself(statistics):
    first = statistics[:1]
    (difference,) = paired_bootstrap(np.concatenate([first, first]), divide).differences
    assert (difference.value, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


def test_the_sign_turns_with_the_systems(statistics):
    there = paired_bootstrap(statistics[[0, 1]], divide).differences[0]
    back = paired_bootstrap(statistics[[1, 0]], divide).differences[0]
    assert back.value == -there.value
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p == there.p


def test_a_seed_repeats_the_result(statistics):
    assert paired_bootstrap(statistics, divide, seed=1) == paired_bootstrap(
        statistics, divide, seed=1
    )
    assert paired_bootstrap(statistics, divide, seed=1) != paired_bootstrap(
        statistics, divide, seed=2
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_metrics_that_are_no_numbers_stay_so(value):
    result = paired_bootstrap(counts([value, 1], [1, 0]), divide, resamples=50)
    assert not math.isfinite(result.scores[0].value)
    assert result.scores[1].value == 0.5
    assert result.differences[0].p <= 1


def test_there_must_be_records():
    with pytest.raises(UserError, match="statistics: expected at least one, got none"):
        paired_bootstrap(np.zeros((2, 0, 2)), divide)
