"""Confidence intervals of metrics, and of their differences, by a paired bootstrap."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.metrics.checks import check_some

Array = np.ndarray[Any, np.dtype[Any]]

RESAMPLES = 1000
_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric with its 95 % confidence interval.

    Args:
        value: of all records.
        low: the 2.5th percentile of the resamples.
        high: the 97.5th.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference(Estimate):
    """By how much a metric differs from that of the first system.

    Args:
        p: the share of resamples whose difference is zero or has the other sign, with one more
            of either kind counted, so that it is never 0.
    """

    p: float


@dataclass(frozen=True, slots=True)
class PairedBootstrap:
    """A metric of several systems on the same records.

    Args:
        scores: of each system.
        differences: from the first, of each of the others.
    """

    scores: Sequence[Estimate]
    differences: Sequence[Difference]


def paired_bootstrap(
    statistics: Array,
    compute: Callable[[Array], float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedBootstrap:
    """Compares systems on resamples of their records, drawn with replacement, the same for all.

    Args:
        statistics: of each record, whose sums the metric is a function of, `(systems, records,
            statistics)`.
        compute: the metric of sums `(statistics,)`.
        resamples: how many to draw, each as large as there are records.
        seed: of the draws.

    Raises:
        UserError: there are no records.

    Example:
        >>> right = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 0, 0]])
        >>> statistics = np.stack([right, np.ones_like(right)], axis=-1)
        >>> result = paired_bootstrap(statistics, lambda sums: float(sums[0] / sums[1]))
        >>> result.scores[0].value, round(result.differences[0].value, 2)
        (0.8, -0.6)

    Source: Koehn, Statistical Significance Tests for Machine Translation Evaluation, 2004;
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    check_some("statistics", statistics[0])
    statistics = statistics.astype("float64")
    values = np.array([compute(each.sum(axis=0)) for each in statistics])
    random, records = np.random.default_rng(seed), statistics.shape[1]
    drawn = np.empty((resamples, len(statistics)))
    for resample in drawn:
        counts = np.bincount(random.integers(records, size=records), minlength=records)
        resample[:] = [compute(sums) for sums in np.einsum("r,srk->sk", counts, statistics)]
    with np.errstate(invalid="ignore"):  # of infinite metrics
        scores = [Estimate(float(value), *_interval(each)) for value, each in _pairs(values, drawn)]
        values, drawn = values[1:] - values[0], drawn[:, 1:] - drawn[:, :1]
        differences = [
            Difference(float(value), *_interval(each), _doubt(float(value), each))
            for value, each in _pairs(values, drawn)
        ]
    return PairedBootstrap(scores, differences)


def _pairs(values: Array, drawn: Array) -> Iterator[tuple[Any, Array]]:
    return zip(values, drawn.T, strict=True)


def _interval(drawn: Array) -> tuple[float, float]:
    low, high = np.quantile(drawn, _TAILS)
    return float(low), float(high)


def _doubt(value: float, drawn: Array) -> float:
    """The share of resamples that do not agree with the sign of a difference."""
    against = len(drawn) - int(np.sum(drawn * np.sign(value) > 0))
    return (against + 1) / (len(drawn) + 1)
