"""The answers of a model to a split."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class TopAnswers:
    """A model's likeliest answers to every question of a split.

    Args:
        ids: `(questions, top)`, the likeliest first.
        probabilities: `(questions, top)`.
    """

    ids: np.ndarray
    probabilities: np.ndarray
