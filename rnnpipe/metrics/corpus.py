"""Metrics of many records as functions of the sums of statistics of each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CorpusMetric:
    """A metric of a set of records: a function of the sums of sufficient statistics.

        m(R) = f(Σ_{r ∈ R} s(r))

    Accuracy is a ratio of right answers and answers, word error rate one of errors and words, BLEU
    a function of matches and totals of n-grams and of lengths. Whatever is made of subsets of
    records, such as a bootstrap, needs no more than s(r).

    Args:
        name: of the metric.
        count: the statistics s(r) of a row of predictions; None for a row that has no part in the
            metric.
        compute: the metric f of the sums, `(statistics,)`.
        lower_is_better: whether it is an error or a cost.
        definition: what a comparable metric must agree in, e.g. its signature.

    Example:
        >>> errors = ratio("wer", lambda row: (row["errors"], row["words"]), lower_is_better=True)
        >>> rows = [{"errors": 1, "words": 5}, {"errors": 0, "words": 3}]
        >>> errors.count(rows[0]), errors.score(rows)
        ((1, 5), 0.125)
    """

    name: str
    count: Callable[[Row], Sequence[float] | None]
    compute: Callable[[Array], float]
    lower_is_better: bool = False
    definition: str = ""

    def score(self, rows: Iterable[Row]) -> float:
        """The metric of all records of some rows; NaN where none has a part in it."""
        counts = [counted for row in rows if (counted := self.count(row)) is not None]
        return self.compute(np.sum(counts, axis=0, dtype="float64")) if counts else float("nan")


def ratio(
    name: str,
    count: Callable[[Row], Sequence[float] | None],
    *,
    lower_is_better: bool = False,
) -> CorpusMetric:
    """A quotient of two sums: a mean, an accuracy, an error rate.

    Args:
        name: of the metric.
        count: numerator and denominator of a row, e.g. its errors and its words.
        lower_is_better: whether it is an error or a cost.
    """
    return CorpusMetric(name, count, _divide, lower_is_better)


def accuracy(name: str) -> CorpusMetric:
    """The share of rows whose `prediction` is their `label`.

    Args:
        name: of the metric.
    """
    return ratio(name, lambda row: (row["prediction"] == row["label"], 1))


def _divide(sums: Array) -> float:
    return float(sums[0] / sums[1]) if sums[1] else float("nan")
