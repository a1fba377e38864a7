"""The likeliest classes of a record; predictors rank by the same function as reports."""

from collections.abc import Sequence

import numpy as np

TOP = 5


def rank(
    probabilities: Sequence[float] | np.ndarray, names: Sequence[str]
) -> list[tuple[str, float]]:
    """The likeliest classes of one record with their probabilities; of equal ones the first.

    Example:
        >>> rank([0.25, 0.25, 0.5], ["a", "b", "c"])
        [('c', 0.5), ('a', 0.25), ('b', 0.25)]
    """
    order = np.argsort(-np.asarray(probabilities), kind="stable")[:TOP]
    return [(names[place], float(probabilities[place])) for place in order]
