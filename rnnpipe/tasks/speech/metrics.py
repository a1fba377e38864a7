"""Error rates of rows of predictions."""

from collections.abc import Mapping
from typing import Any

from rnnpipe.metrics.corpus import CorpusMetric, ratio
from rnnpipe.metrics.transcript_errors import Unit, count_errors


def error_rate(name: str, unit: Unit) -> CorpusMetric:
    """The error rates of recognized texts.

    Args:
        name: of the metric.
        unit: what is counted.

    Example:
        >>> row = {"prediction": "bin blue", "reference": "bin red at"}
        >>> error_rate("wer", "word").count(row)
        (2, 3)
    """

    def count(row: Mapping[str, Any]) -> tuple[int, int]:
        (counts,) = count_errors([row["prediction"]], [row["reference"]], unit)
        return counts.errors, counts.units

    return ratio(name, count, lower_is_better=True)
