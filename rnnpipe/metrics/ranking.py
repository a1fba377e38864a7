"""Scores of how classifiers rank: whether what is right is near the top."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from rnnpipe.metrics.checks import check_some

Array = np.ndarray[Any, np.dtype[Any]]


def top_k_accuracy(probabilities: Array, labels: Sequence[int] | Array, k: int) -> float:
    """How often the right class is among the `k` likeliest.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each record, `(records,)`.
        k: how many guesses there are.

    Raises:
        UserError: there are no records.

    Example:
        >>> top_k_accuracy(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), [1, 2], k=2)
        0.5
    """
    check_some("labels", labels)
    guesses = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float(np.mean((guesses == np.asarray(labels)[:, None]).any(axis=1)))


def mean_average_precision(probabilities: Array, labels: Sequence[int] | Array) -> float:
    """How well the records of each class are ranked before all others, on average (mAP).

    Records are ranked by the probability of a class; its average precision is the mean, over its
    records, of the share of its records among those ranked as high. Classes without records do not
    count.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each record, `(records,)`.

    Raises:
        UserError: there are no records.

    Example:
        >>> mean_average_precision(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 0])
        1.0

    Source: Everingham et al., The PASCAL Visual Object Classes Challenge, 2010, section 4.2, with
    the precision at every rank.
    """
    check_some("labels", labels)
    labels = np.asarray(labels)
    precisions = [
        average_precision_score(labels == name, probabilities[:, name])
        for name in np.unique(labels)
    ]
    return float(np.mean(precisions))
