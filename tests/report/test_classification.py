import numpy as np

from rnnpipe.report.classification import (
    list_answers,
    pick_samples,
    sample_title,
    tabulate_scores,
)
from rnnpipe.report.ranking import rank


def test_classes_are_ranked_by_their_probability():
    assert rank([0.2, 0.7, 0.1], ["a", "b", "c"]) == [("b", 0.7), ("a", 0.2), ("c", 0.1)]
    assert len(rank([0.125] * 8, list("abcdefgh"))) == 5


def test_right_samples_take_turns_and_wrong_ones_come_by_confidence():
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    sure = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.8])
    said = np.array([0, 0, 0, 1, 1, 2, 0, 1])
    probabilities = np.full((8, 3), 0.05)
    probabilities[np.arange(8), said] = sure
    right, wrong = pick_samples(probabilities, labels)
    assert right == [0, 3, 5, 1, 4, 2]
    assert wrong == [7, 6]
    many, none = pick_samples(np.tile([0.9, 0.1], (30, 1)), np.zeros(30, int))
    assert (len(many), none) == (10, [])


def test_scores_are_tabulated_beside_the_baselines():
    metrics = ("accuracy", "macro_f1", "log_loss", "calibration_error")
    scores = dict.fromkeys(metrics, 0.5)
    scores |= {f"baseline/cnn/{metric}": 0.25 for metric in metrics}
    table = tabulate_scores(scores, {"cnn": "plain CNN"})
    assert table.columns == ("", "accuracy", "macro F1", "log loss", "calibration error")
    assert table.rows == [("model", *[0.5] * 4), ("plain CNN", *[0.25] * 4)]


def test_a_sample_title_names_the_predicted_class():
    assert sample_title("star", "star") == "star"
    assert sample_title("cross", "star") == "cross, but it is star"
    (first, *rest) = list_answers([0.1, 0.2, 0.3, 0.4], list("abcd"), "d")
    assert (first.text, first.probability, first.right) == ("d", 0.4, True)
    assert [(answer.text, answer.right) for answer in rest] == [("c", False), ("b", False)]
