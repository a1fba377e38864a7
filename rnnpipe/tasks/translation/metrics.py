"""BLEU of rows of predictions."""

from collections.abc import Mapping
from typing import Any

from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.metrics.translation import BleuTokenizer, compute_bleu, count_ngrams


def bleu(*, lowercase: bool, tokenize: BleuTokenizer) -> CorpusMetric:
    """SacreBLEU's BLEU of the translations that count in the main scores.

    Args:
        lowercase: as of `score_translations`.
        tokenize: as of `score_translations`.
    """

    def count(row: Mapping[str, Any]) -> list[int] | None:
        if not row["counted"]:
            return None
        texts = row["prediction"], row["reference"]
        return count_ngrams(*texts, lowercase=lowercase, tokenize=tokenize)

    case = "lower case" if lowercase else "mixed case"
    return CorpusMetric("bleu", count, compute_bleu, definition=f"{case}, tokenizer {tokenize}")
