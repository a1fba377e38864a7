"""The answers of a model to a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.tasks.network import Array, softmax

TOP = 5


@dataclass(frozen=True, slots=True)
class TopAnswers:
    """A model's likeliest answers to every question of a split.

    Args:
        ids: `(questions, top)`, the likeliest first.
        probabilities: `(questions, top)`.
    """

    ids: Array
    probabilities: Array

    @classmethod
    def of(cls, logits: Array) -> TopAnswers:
        """The five likeliest of all answers; of equally likely ones the first.

        Args:
            logits: `(questions, answers)`.
        """
        probabilities = softmax(logits)
        ids = np.argsort(-probabilities, axis=-1, kind="stable")[:, :TOP]
        return cls(ids, np.take_along_axis(probabilities, ids, axis=-1))
