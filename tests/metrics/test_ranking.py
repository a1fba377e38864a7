import numpy as np
import pytest

from rnnpipe.metrics.ranking import mean_average_precision, top_k_accuracy


def test_top_k_equals_sorting():
    random = np.random.default_rng(0)
    probabilities, labels = random.dirichlet(np.ones(7), 50), random.integers(0, 7, 50)
    right = [label in np.argsort(-p)[:3] for p, label in zip(probabilities, labels, strict=True)]
    assert top_k_accuracy(probabilities, labels, 3) == pytest.approx(np.mean(right))
    assert top_k_accuracy(probabilities, labels, 7) == 1


def test_average_precision_by_hand():
    # Ranked by class 0: right, wrong, right; by class 1 the other way round; nobody is class 2.
    probabilities = np.array([[0.8, 0.2, 0], [0.6, 0.4, 0], [0.5, 0.5, 0]])
    expected = ((1 + 2 / 3) / 2 + 1 / 2) / 2
    assert mean_average_precision(probabilities, [0, 1, 0]) == pytest.approx(expected)
