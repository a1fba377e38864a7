"""BLEU and CIDEr-D of rows of predictions."""

from rnnpipe.metrics.captions import compute_bleu_4, count_ngrams
from rnnpipe.metrics.corpus import CorpusMetric, ratio


def bleu_4() -> CorpusMetric:
    """The BLEU-4 of COCO's evaluation."""
    return CorpusMetric(
        "bleu_4", lambda row: count_ngrams(row["captions"], row["prediction"]), compute_bleu_4
    )


def cider_d() -> CorpusMetric:
    """The mean CIDEr-D, whose document frequencies are those of the whole split."""
    return ratio("cider_d", lambda row: (row["cider_d"], 1))
