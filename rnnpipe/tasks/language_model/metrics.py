"""What a language model needs for a text, by its rows of predictions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnpipe.metrics.corpus import CorpusMetric, ratio


def bits_per_char() -> CorpusMetric:
    """Bits over characters of the text."""
    return ratio(
        "bits_per_char", lambda row: (_count_bits(row), row["characters"]), lower_is_better=True
    )


def perplexity() -> CorpusMetric:
    """2 to the bits over symbols."""
    return CorpusMetric(
        "perplexity",
        lambda row: (_count_bits(row), row["tokens"]),
        lambda sums: float(np.exp2(sums[0] / sums[1])),
        lower_is_better=True,
    )


def _count_bits(row: Mapping[str, Any]) -> float:
    bits: float = row["bits_per_char"] * max(row["characters"], 1)  # as it was divided
    return bits
