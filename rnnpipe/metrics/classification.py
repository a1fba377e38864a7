"""Scores of classifiers: how often they are right, about what, and whether they know it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from rnnpipe.metrics.checks import check_some

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The texts of which a classifier was about equally sure.

    Args:
        low: the least confidence that belongs to the bin.
        high: the largest.
        count: how many texts there are.
        confidence: their mean confidence; the middle of the bin where there are none.
        accuracy: the share of them that it got right; 0 where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def score_classes(
    probabilities: Array, labels: Sequence[int] | Array, names: Sequence[str]
) -> dict[str, float]:
    """All scores of a classifier, from the probabilities that it gave.

    Args:
        probabilities: `(texts, classes)`, each row summing to 1.
        labels: the right class of each text, `(texts,)`.
        names: of the classes.

    Returns:
        `accuracy`; `macro_f1`, the unweighted mean of the classes' F1; `log_loss` in nats;
        `calibration_error`, see `find_calibration_error`; and for each class
        `precision/<name>`, `recall/<name>` and `f1/<name>`, which are 0 where there is nothing to
        divide by.

    Raises:
        UserError: there are no texts.

    Example:
        >>> scores = score_classes(np.array([[0.9, 0.1], [0.6, 0.4]]), [0, 1], ["neg", "pos"])
        >>> scores["accuracy"], scores["recall/pos"], round(scores["log_loss"], 4)
        (0.5, 0.0, 0.5108)
    """
    labels, classes = np.asarray(labels), np.arange(len(names))
    check_some("labels", labels)
    given = probabilities.argmax(axis=1)
    by_class = precision_recall_fscore_support(labels, given, labels=classes, zero_division=0)
    scores = {
        "accuracy": float(np.mean(given == labels)),
        "macro_f1": float(np.mean(by_class[2])),
        # Summed in float64: float32 rows sum to 1 only roughly, of which it warns.
        "log_loss": float(log_loss(labels, _normalised(probabilities), labels=classes)),
        "calibration_error": find_calibration_error(probabilities, labels),
    }
    for metric, values in zip(("precision", "recall", "f1"), by_class, strict=False):
        scores |= {f"{metric}/{name}": float(v) for name, v in zip(names, values, strict=True)}
    return scores


def guess_by_frequency(counts: Sequence[int] | Array, records: int) -> Array:
    """The share of each class in training, whatever the record: the majority class is likeliest.

    Args:
        counts: how many training records each class has.
        records: for how many to guess.

    Returns:
        Probabilities `(records, classes)`.

    Raises:
        UserError: there are no training records.

    Example:
        >>> guess_by_frequency([1, 3], records=1).tolist()
        [[0.25, 0.75]]
    """
    check_some("counts", np.flatnonzero(counts))
    return np.tile(np.asarray(counts) / np.sum(counts), (records, 1))


def count_confusions(probabilities: Array, labels: Sequence[int] | Array) -> Array:
    """How often each class was taken for each class: `counts[right][given]`."""
    classes = np.arange(probabilities.shape[1])
    counts: Array = confusion_matrix(labels, probabilities.argmax(axis=1), labels=classes)
    return counts


def make_bins(probabilities: Array, labels: Sequence[int] | Array, bins: int = BINS) -> list[Bin]:
    """A reliability diagram: texts by how sure the classifier was of the class that it gave.

    Args:
        probabilities: `(texts, classes)`.
        labels: the right class of each text, `(texts,)`.
        bins: how many bins of equal width there are between 0 and 1. A confidence on a bound
            belongs to the bin above it.

    Source: Niculescu-Mizil and Caruana, Predicting Good Probabilities with Supervised Learning,
    2005; of several classes: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == np.asarray(labels)
    bounds = np.linspace(0, 1, bins + 1).tolist()
    # The last bin holds its upper bound too.
    place = np.clip(np.searchsorted(bounds, confidence, side="right") - 1, 0, bins - 1)
    found = []
    for index, (low, high) in enumerate(itertools.pairwise(bounds)):
        inside = place == index
        count = int(inside.sum())
        sure = float(confidence[inside].mean()) if count else (low + high) / 2
        found.append(Bin(low, high, count, sure, float(right[inside].mean()) if count else 0.0))
    return found


def find_calibration_error(probabilities: Array, labels: Sequence[int] | Array) -> float:
    """The expected calibration error: by how much confidence and accuracy differ, on average.

        ECE = Σ_b (n_b / n) |accuracy_b − confidence_b|

    Args:
        probabilities: `(texts, classes)`.
        labels: the right class of each text, `(texts,)`.

    Returns:
        A number from 0, where of the texts with confidence p a share p is right, to 1.

    Raises:
        UserError: there are no texts.

    Example:
        >>> find_calibration_error(np.array([[0.75, 0.25]] * 4), [0, 0, 0, 1])
        0.0

    Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015;
    Guo et al. 2017, equation 3.
    """
    check_some("labels", labels)
    found = make_bins(probabilities, labels)
    texts = sum(each.count for each in found)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in found) / texts


def _normalised(probabilities: Array) -> Array:
    exact = probabilities.astype("float64")
    rows: Array = exact / exact.sum(axis=1, keepdims=True)
    return rows
