import numpy as np
import pytest

from rnnpipe.metrics.classification import (
    count_confusions,
    find_calibration_error,
    guess_by_frequency,
    make_bins,
    score_classes,
)

NAMES = ["neg", "neutral", "pos", "never"]


@pytest.fixture
def outcome():
    """Probabilities and labels of 200 texts; one class never occurs and is never given."""
    random = np.random.default_rng(5)
    probabilities = np.zeros((200, 4))
    probabilities[:, :3] = random.dirichlet([1.0, 2.0, 0.7], size=200)
    return probabilities, random.integers(0, 3, 200)


def test_scores_equal_their_definitions(outcome):
    probabilities, labels = outcome
    scores = score_classes(probabilities, labels, NAMES)
    given = [max(range(4), key=lambda c: row[c]) for row in probabilities]
    pairs = list(zip(labels.tolist(), given, strict=True))
    assert scores["accuracy"] == pytest.approx(sum(r == g for r, g in pairs) / 200)
    f1s = []
    for c, name in enumerate(NAMES):
        hits = sum(r == g == c for r, g in pairs)
        said, are = sum(g == c for _, g in pairs), sum(r == c for r, _ in pairs)
        precision, recall = hits / said if said else 0.0, hits / are if are else 0.0
        f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
        assert scores[f"precision/{name}"] == pytest.approx(precision)
        assert scores[f"recall/{name}"] == pytest.approx(recall)
        assert scores[f"f1/{name}"] == pytest.approx(f1s[-1])
    assert f1s[3] == 0
    assert scores["macro_f1"] == pytest.approx(sum(f1s) / 4)
    losses = [-np.log(row[label]) for row, label in zip(probabilities, labels, strict=True)]
    assert scores["log_loss"] == pytest.approx(np.mean(losses))
    assert scores["calibration_error"] == find_calibration_error(probabilities, labels)


def test_a_certain_error_has_a_finite_loss():
    scores = score_classes(np.array([[1.0, 0.0]], "float32"), [1], ["a", "b"])
    assert 10 < scores["log_loss"] < 50


def test_rows_of_low_precision_raise_no_warning(outcome):
    probabilities, labels = outcome
    exact = score_classes(probabilities, labels, NAMES)["log_loss"]
    rough = score_classes(probabilities.astype("float16"), labels, NAMES)["log_loss"]
    assert rough == pytest.approx(exact, rel=1e-2)


def test_confusions_are_counted_by_right_and_given():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    assert count_confusions(probabilities, [0, 0, 1]).tolist() == [[1, 1], [0, 1]]


def test_bins_hold_every_text_once_and_bounds_belong_to_the_bin_above(outcome):
    probabilities = np.array([[0.5, 0.5], [0.75, 0.25], [0.7499, 0.2501], [1.0, 0.0]])
    found = make_bins(probabilities, [0, 1, 0, 0], bins=4)
    assert [each.count for each in found] == [0, 0, 2, 2]
    assert [(each.low, each.high) for each in found] == [
        (0, 0.25),
        (0.25, 0.5),
        (0.5, 0.75),
        (0.75, 1),
    ]
    assert found[2].confidence == pytest.approx((0.5 + 0.7499) / 2)
    assert [each.accuracy for each in found] == [0, 0, 1, 0.5]
    assert sum(each.count for each in make_bins(*outcome)) == 200


def test_the_calibration_error_is_the_weighted_gap():
    # Two texts at 0.8, of which one is right, and one at 0.6, which is right.
    probabilities = np.array([[0.8, 0.2], [0.2, 0.8], [0.6, 0.4]])
    expected = (2 * abs(0.5 - 0.8) + abs(1 - 0.6)) / 3
    assert find_calibration_error(probabilities, [0, 0, 0]) == pytest.approx(expected)


def test_a_calibrated_classifier_has_no_calibration_error():
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1, 200_000)
    right = random.random(200_000) < sure
    probabilities = np.stack([sure, 1 - sure], axis=1)
    assert find_calibration_error(probabilities, np.where(right, 0, 1)) < 0.01
    assert find_calibration_error(probabilities, np.zeros(200_000, int)) == pytest.approx(
        0.25, abs=0.01
    )


def test_the_shares_of_training_are_guessed_for_every_record():
    guessed = guess_by_frequency([1, 0, 3, 0], records=3)
    assert guessed.tolist() == [[0.25, 0, 0.75, 0]] * 3
