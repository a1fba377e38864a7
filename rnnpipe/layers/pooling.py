"""Pooling of a sequence to one vector, with the alignments of the steps."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from rnnpipe.layers.attention.mechanism import masked_softmax
from rnnpipe.layers.errors import is_count, layer_error, shape_text, shapes_agree
from rnnpipe.ops import argmax
from rnnpipe.types import Nested, Shape, Tensor


class Pooling(keras.layers.Layer):
    """Base of the poolings: from a sequence to one vector and the alignments of its steps.

    A pooling is a subclass with one method, `align`: the weights of all steps. Masked steps get
    exactly zero, and their values, even NaN, reach neither results nor gradients.

    Call arguments:
        sequences: `(batch, time, features)`.
        mask: `(batch, time)`, False at padding; by default the mask that the sequences carry.
        training: whether dropout is on.

    Returns:
        `(pooled, alignments)`: `(batch, features)`, or `(batch, glimpses * features)` where there
        are glimpses, and `(batch, glimpses, time)`. Alignments sum to 1 over time, or to 0 where
        all steps are masked; pooled is zero there.

    Raises:
        UserError: if the sequences or the mask have the wrong shape.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def align(self, sequences: Tensor, mask: Tensor, training: bool) -> Tensor:
        """The weight of every step, `(batch, glimpses, time)`; `mask` may be None."""
        raise NotImplementedError

    def pool(self, sequences: Tensor, alignments: Tensor, mask: Tensor) -> Tensor:
        """The weighted sums of the steps, one after the other for each glimpse."""
        del mask
        pooled = ops.matmul(alignments, sequences)  # (batch, glimpses, features)
        return ops.reshape(pooled, (-1, pooled.shape[1] * pooled.shape[2]))

    def call(
        self, sequences: Tensor, mask: Tensor = None, training: bool = False
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Pools; see the class for the arguments."""
        self._check(sequences, mask)
        if mask is not None:
            mask = ops.cast(mask, "bool")
            # A NaN in the padding would reach the result as 0 * NaN.
            sequences = ops.where(mask[:, :, None], sequences, ops.zeros_like(sequences))
        alignments = self.align(sequences, mask, training)
        return self.pool(sequences, alignments, mask), alignments

    def compute_mask(self, *_: Any) -> None:
        """Neither the pooled vector nor the alignments carry a mask."""
        return

    def _check(self, sequences: Tensor, mask: Tensor) -> None:
        if len(sequences.shape) != 3:
            expected, fix = "sequences (batch, time, features)", "keep the steps apart"
            raise layer_error(self, expected, shape_text(sequences), fix)
        if mask is not None and not shapes_agree(mask.shape, sequences.shape[:2]):
            expected = f"a mask of shape (batch, time) = {tuple(sequences.shape[:2])}"
            raise layer_error(self, expected, shape_text(mask), "pass one boolean for each step")


@keras.saving.register_keras_serializable("rnnpipe")
class MeanPooling(Pooling):
    """The mean of the unmasked steps: `pooled = Σₜ xₜ / n`, every alignment 1/n.

    `Pooling` has the call arguments, returns and errors.

    Example:
        >>> import numpy
        >>> pooled, alignments = MeanPooling()(
        ...     numpy.array([[[2.0], [4.0], [9.0]]]), mask=numpy.array([[True, True, False]])
        ... )
        >>> float(pooled[0, 0]), numpy.asarray(alignments)[0, 0].tolist()
        (3.0, [0.5, 0.5, 0.0])
    """

    def align(self, sequences: Tensor, mask: Tensor, training: bool) -> Tensor:
        """The same for all steps that count."""
        del training
        return masked_softmax(ops.zeros_like(sequences[:, None, :, 0]), mask)


@keras.saving.register_keras_serializable("rnnpipe")
class MaxPooling(Pooling):
    """The largest value of each feature over the unmasked steps: `pooledⱼ = maxₜ xₜⱼ`.

    A step's alignment is the share of the features that have their largest value there (Conneau
    et al. 2017); no gradient goes through it. `Pooling` has the call arguments, returns and errors.

    Example:
        >>> import numpy
        >>> pooled, alignments = MaxPooling()(numpy.array([[[2.0, 7.0], [4.0, 1.0], [3.0, 0.0]]]))
        >>> numpy.asarray(pooled)[0].tolist(), numpy.asarray(alignments)[0, 0].tolist()
        ([4.0, 7.0], [0.5, 0.5, 0.0])

    Source: Conneau et al., Supervised Learning of Universal Sentence Representations, 2017,
    section 3.2.1; the shares are those of its appendix's figures.
    """

    def align(self, sequences: Tensor, mask: Tensor, training: bool) -> Tensor:
        """The share of the features that each step gives."""
        del training
        if 0 in sequences.shape:
            return ops.zeros_like(sequences[:, None, :, 0])
        steps = argmax(_lowered(sequences, mask), axis=1)  # (batch, features)
        taken = ops.one_hot(steps, ops.shape(sequences)[1], dtype=self.compute_dtype)
        shares = ops.mean(taken, axis=1)
        if mask is not None:
            shares = ops.where(mask, shares, ops.zeros_like(shares))
        return shares[:, None, :]

    def pool(self, sequences: Tensor, alignments: Tensor, mask: Tensor) -> Tensor:
        """The largest values."""
        del alignments
        if 0 in sequences.shape:
            return ops.sum(sequences, axis=1)
        pooled = ops.max(_lowered(sequences, mask), axis=1)
        if mask is None and sequences.shape[1] is not None:
            return pooled
        if mask is None:  # a graph may still be run with no steps
            mask = ops.ones_like(sequences[:, :, 0], dtype="bool")
        return ops.where(ops.any(mask, axis=1)[:, None], pooled, ops.zeros_like(pooled))


def _lowered(sequences: Tensor, mask: Tensor) -> Tensor:
    """The sequences, with steps that do not count below all others."""
    if mask is None:
        return sequences
    return ops.where(mask[:, :, None], sequences, ops.full_like(sequences, -math.inf))


@keras.saving.register_keras_serializable("rnnpipe")
class ConcatPooling(Pooling):
    """The last state, the largest values and the mean: `[x_T; maxₜ xₜ; Σₜ xₜ / n]`.

    What decides on a text may be a few words anywhere in it, which a last state may have lost. The
    alignments are those of three glimpses, in this order. `Pooling` has the call arguments,
    returns and errors.

    Args:
        backward: the first feature that comes from a layer that reads backwards, and the first
            after those: of these features the last state is that of the first step; None: none are.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Example:
        >>> import numpy
        >>> pooled, alignments = ConcatPooling()(numpy.array([[[2.0], [7.0], [3.0]]]))
        >>> numpy.asarray(pooled)[0].tolist(), numpy.asarray(alignments)[0, 0].tolist()
        ([3.0, 7.0, 4.0], [0.0, 0.0, 1.0])

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018,
    section 3.3, equation 4.
    """

    def __init__(self, backward: tuple[int, int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        first, end = backward or (0, 0)
        if not 0 <= first <= end:
            fix = "write e.g. backward=(64, 128)"
            raise layer_error(self, "backward features from one on", str(backward), fix)
        self.backward = backward and (first, end)
        self.largest = MaxPooling(dtype=self.dtype_policy)
        self.mean = MeanPooling(dtype=self.dtype_policy)

    def build(self, sequences_shape: Shape) -> None:
        """Builds the other two poolings, which have no weights."""
        self.largest.build(sequences_shape)
        self.mean.build(sequences_shape)

    def call(
        self, sequences: Tensor, mask: Tensor = None, training: bool = False
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Pools in three ways; see the class for the arguments."""
        last = super().call(sequences, mask=mask, training=training)
        others = [pooling(sequences, mask=mask) for pooling in (self.largest, self.mean)]
        pooled, alignments = zip(last, *others, strict=True)
        return ops.concatenate(pooled, axis=-1), ops.concatenate(alignments, axis=1)

    def align(self, sequences: Tensor, mask: Tensor, training: bool) -> Tensor:
        """The share of the features that the last step gives, and the first one."""
        del training
        last, first = self._find_ends(sequences, mask)
        share = self._is_backward(sequences).mean() if sequences.shape[-1] else 0.0
        return ((1 - share) * last + share * first)[:, None, :]

    def pool(self, sequences: Tensor, alignments: Tensor, mask: Tensor) -> Tensor:
        """The last state, or of backward features the first."""
        del alignments
        last, first = (
            ops.matmul(end[:, None], sequences)[:, 0] for end in self._find_ends(sequences, mask)
        )
        return ops.where(self._is_backward(sequences), first, last)

    def _is_backward(self, sequences: Tensor) -> Any:
        """Which features are read backwards, `(features,)`."""
        first, end = self.backward or (0, 0)
        places = np.arange(sequences.shape[-1])
        return (first <= places) & (places < end)

    def _find_ends(self, sequences: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One at the last and at the first of the steps that count, `(batch, time)` each."""
        if mask is None:
            mask = ops.ones_like(sequences[:, :, 0], dtype="bool")
        counts = ops.cast(mask, "int32")
        from_start = ops.cumsum(counts, axis=1) == 1
        from_end = ops.flip(ops.cumsum(ops.flip(counts, axis=1), axis=1), axis=1) == 1
        ends = (ops.logical_and(mask, end) for end in (from_end, from_start))
        last, first = (ops.cast(end, self.compute_dtype) for end in ends)
        return last, first

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "backward": self.backward}


@keras.saving.register_keras_serializable("rnnpipe")
class AttentionPooling(Pooling):
    """Self-attentive pooling: additive attention with learned queries.

        uₜ = tanh(xₜ W + b)     αₖ = softmax(vₖ · uₜ) over t     pooled = [Σₜ αₖₜ xₜ]ₖ

    It is additive attention whose query is the same for all sequences, so that the query's part is
    the bias b; each glimpse k has its own vector vₖ. The weights are `kernel` (features, units),
    `bias` (units) and `score_kernel` (units, glimpses). `Pooling` has the call arguments, returns
    and errors.

    Args:
        units: the size of the layer in which steps are scored.
        glimpses: how many alignments are made; their sums are concatenated.
        dropout: fraction of that layer that is dropped in training.
        seed: of the dropout.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Example:
        >>> import numpy
        >>> pooled, alignments = AttentionPooling(8, glimpses=2)(numpy.zeros((3, 5, 6)))
        >>> tuple(pooled.shape), tuple(alignments.shape)
        ((3, 12), (3, 2, 5))

    Source: Yang et al., Hierarchical Attention Networks for Document Classification, 2016,
    equations 5 to 7; several glimpses: Lin et al., A Structured Self-attentive Sentence Embedding,
    2017, equations 5 and 6.
    """

    def __init__(
        self,
        units: int,
        glimpses: int = 1,
        *,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_count(units):
            raise layer_error(self, "at least 1 unit", str(units), "write e.g. units=64")
        if not is_count(glimpses):
            raise layer_error(self, "at least 1 glimpse", str(glimpses), "write e.g. glimpses=2")
        self.units, self.glimpses = units, glimpses
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)

    def build(self, sequences_shape: Shape) -> None:
        """Creates the weights for `(batch, time, features)`."""
        features = sequences_shape[-1]
        self.kernel = self.add_weight((features, self.units), name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        self.score_kernel = self.add_weight((self.units, self.glimpses), name="score_kernel")

    def align(self, sequences: Tensor, mask: Tensor, training: bool) -> Tensor:
        """The softmax of the scores."""
        joint = ops.tanh(ops.matmul(sequences, self.kernel) + self.bias)
        scores = ops.matmul(self.dropout(joint, training=training), self.score_kernel)
        return masked_softmax(ops.transpose(scores, (0, 2, 1)), mask)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "units": self.units,
            "glimpses": self.glimpses,
            "dropout": self.dropout.rate,
            "seed": self.dropout.seed,
        }
