"""Attention that learns from given alignments, beside the loss of its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from rnnpipe.training.alignments import AlignmentTrainer

ALIGNMENT = "alignment"
"""The input of training with the given alignments."""

_TINY = 1e-7


@keras.saving.register_keras_serializable("rnnpipe")
class GuidedAlignmentTrainer(AlignmentTrainer):
    """A model of logits and alignments, whose attention follows given alignments in training.

        loss = L + λ · guided_alignment_loss(α, given)

    Args:
        model: see `AlignmentTrainer`.
        guided_alignment: λ.
        **kwargs: the further arguments of `AlignmentTrainer`.

    Call arguments:
        inputs: those of the model, in training with `alignment` too, `(batch, time, positions)`.

    Returns:
        What the model returns.

    Source: Chen, Matusov, Khadivi and Peter, Guided Alignment Training for Topic-Aware Neural
    Machine Translation, 2016.
    """

    def __init__(self, model: keras.Model, *, guided_alignment: float, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)
        self.guided_alignment = guided_alignment

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The outputs of the model."""
        read = {name: value for name, value in inputs.items() if name != ALIGNMENT}
        return super().call(read, training=training)

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The loss; see the class for the equation."""
        loss = super().total_loss(x, y, y_pred, sample_weight, training)
        if ALIGNMENT not in x:
            return loss
        return loss + self._weighed_loss(x, y_pred)

    def _weighed_loss(self, x: Any, y_pred: Any) -> Any:
        """The loss of the alignments, times its weight."""
        alignments = y_pred.get("probabilities", y_pred["alignments"])
        return self.guided_alignment * guided_alignment_loss(alignments, x[ALIGNMENT])

    def term_counts(self, x: Any, y: Any) -> dict[str, Any]:
        """Also that of the tokens with a link."""
        counts = super().term_counts(x, y)
        if ALIGNMENT not in x:
            return counts
        linked = ops.any(ops.cast(x[ALIGNMENT], "float32") > 0, axis=-1)
        return {**counts, ALIGNMENT: ops.sum(ops.cast(linked, "float32"))}

    def part_loss(self, x: Any, y: Any, y_pred: Any, shares: Mapping[str, Any]) -> Any:
        """The loss of the alignments has a share of its own."""
        if ALIGNMENT not in x:
            return super().part_loss(x, y, y_pred, shares)
        inputs = {name: value for name, value in x.items() if name != ALIGNMENT}
        own = shares[ALIGNMENT] * self._weighed_loss(x, y_pred)
        return super().part_loss(inputs, y, y_pred, shares) + own

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "guided_alignment": self.guided_alignment}


def guided_alignment_loss(alignments: Any, given: Any) -> Any:
    """The cross-entropy of alignments, the mean over the tokens that have given ones.

        loss = −1/|T| Σ_{t ∈ T} Σᵢ Aₜᵢ / Σⱼ Aₜⱼ · log αₜᵢ      T: the tokens with a link

    Args:
        alignments: α, `(batch, time, positions)`.
        given: A, of the same shape, 1 where a token is linked to a position, else 0.

    Example:
        >>> import numpy
        >>> evenly, given = numpy.full((1, 2, 4), 0.25), numpy.zeros((1, 2, 4))
        >>> given[0, 0, 1] = 1
        >>> round(float(guided_alignment_loss(evenly, given)), 4), round(numpy.log(4).item(), 4)
        (1.3863, 1.3863)
    """
    given = ops.cast(given, "float32")
    links = ops.sum(given, axis=-1)
    log_alignments = ops.log(ops.clip(ops.cast(alignments, "float32"), _TINY, 1.0))
    losses = -ops.sum(given * log_alignments, axis=-1) / ops.maximum(links, 1.0)
    linked = ops.cast(links > 0, "float32")
    return ops.sum(losses * linked) / ops.maximum(ops.sum(linked), 1.0)
