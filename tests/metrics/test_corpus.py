import math

import numpy as np
import pytest

from rnnpipe.metrics.corpus import CorpusMetric, ratio


def test_a_word_error_rate_is_a_ratio_of_sums():
    rows = [{"errors": 1, "words": 2}, {"errors": 0, "words": 8}]
    metric = ratio("wer", lambda row: (row["errors"], row["words"]), lower_is_better=True)
    assert metric.score(rows) == 0.1
    assert metric.lower_is_better


def test_rows_without_a_part_in_a_metric_change_nothing():
    metric = ratio("accuracy", lambda row: (row["right"], 1) if "right" in row else None)
    rows = [{"right": 1}, {}, {"right": 0}, {}]
    assert metric.score(rows) == metric.score(rows[::2]) == 0.5


@pytest.mark.parametrize("rows", [[], [{}], [{"of": 0}]])
def test_a_metric_of_nothing_is_no_number(rows):
    metric = ratio("empty", lambda row: (0, row["of"]) if row else None)
    assert math.isnan(metric.score(rows))


def test_a_metric_need_not_be_a_mean():
    metric = CorpusMetric("norm", lambda row: row["xy"], lambda sums: float(np.hypot(*sums)))
    assert metric.score([{"xy": (1, 2)}, {"xy": (2, 2)}]) == 5.0
