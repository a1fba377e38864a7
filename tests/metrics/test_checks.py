"""The mean of nothing is no number: every metric refuses it, with a message."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics.captions import score_captions
from rnnpipe.metrics.cider_d import CiderD
from rnnpipe.metrics.classification import (
    find_calibration_error,
    guess_by_frequency,
    score_classes,
)
from rnnpipe.metrics.entropy import ngram_nats
from rnnpipe.metrics.ranking import mean_average_precision, top_k_accuracy
from rnnpipe.metrics.translation import score_translations
from rnnpipe.metrics.vqa import answer_scores, score_vqa, vqa_accuracy

NONE = np.zeros((0, 2))
TOKENS, NO_TOKENS = np.array([4, 5]), np.array([], "int64")


@pytest.mark.parametrize(
    "score",
    [
        lambda: score_classes(NONE, [], ["a", "b"]),
        lambda: find_calibration_error(NONE, []),
        lambda: guess_by_frequency([0, 0], records=3),
        lambda: guess_by_frequency([], records=3),
        lambda: top_k_accuracy(NONE, [], 1),
        lambda: mean_average_precision(NONE, []),
        lambda: ngram_nats([TOKENS], [NO_TOKENS], vocab=6, order=1, start=2),
        lambda: ngram_nats([NO_TOKENS], [TOKENS], vocab=6, order=1, start=2),
        lambda: ngram_nats([], [TOKENS], vocab=6, order=1, start=2),
        lambda: score_translations([], []),
        lambda: score_captions({}, {}),
        lambda: score_vqa([], []),
        lambda: vqa_accuracy("a", []),
        lambda: answer_scores([]),
        lambda: CiderD([]),
    ],
)
def test_scores_of_nothing_are_refused(score):
    with pytest.raises(UserError, match=r"expected .*, got (none|0 predictions)"):
        score()
