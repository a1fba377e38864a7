"""Local attention around a predicted position (Luong et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.attention.wrapper import AttentionWrapper
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class LocalAttention(AttentionWrapper):
    """Local attention: a mechanism in a window around a position predicted from the query.

        p = S σ(tanh(q W_p) v_p)     αᵢ = softmax(e)ᵢ exp(−(i − p)² / 2σ²) for |i − p| ≤ D,
        σ = D / 2

    S is the length of the source: up to its last readable position. Softmax and context are over
    the window alone, so alignments sum to less than 1 (local-p in the paper). Positions count from
    0. The memory is a sequence. The weights are `position_kernel` (query_features, units),
    `position_score` (units, glimpses) and those of the mechanism: each glimpse has a position
    of its own.

    Args:
        mechanism: any `Attention` that aligns by softmax; `DotAttention` and `GeneralAttention` in
            the paper.
        units: of the layer that predicts the position.
        reach: D, how many positions the window has on either side.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if `mechanism` does not fit, or a size is not positive.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import GeneralAttention
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 50, 6))
        >>> attention = LocalAttention(GeneralAttention(), units=16, reach=10)
        >>> context, alignments = attention(query, memory)
        >>> int((alignments[0, 0] > 0).numpy().sum())  # p = 25 before any training
        21

    Source: Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine
    Translation, 2015, section 3.2.
    """

    memory_ranks = (3,)
    replaces_softmax = True

    def __init__(
        self, mechanism: Attention, units: int = 64, reach: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(mechanism, **kwargs)
        if not is_count(units) or not is_count(reach):
            got = f"units={units}, reach={reach}"
            raise layer_error(self, "at least 1 unit and a reach of 1", got, "write e.g. reach=10")
        self.units, self.reach = units, reach

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates what predicts the position."""
        del memory_features
        self.position_kernel = self.add_weight((query_features, self.units), name="position_kernel")
        self.position_score = self.add_weight((self.units, self.glimpses), name="position_score")

    def align(
        self, scores: Tensor, readable: Tensor, query: Tensor, state: Nested[Tensor], training: bool
    ) -> Tensor:
        """Softmax within the window, under a bell around its centre."""
        # Half precision cannot count to a few hundred positions.
        exact = "float64" if self.compute_dtype == "float64" else "float32"
        place = ops.arange(ops.shape(scores)[-1], dtype=exact)
        hidden = ops.tanh(ops.matmul(query, self.position_kernel))
        share = ops.sigmoid(ops.matmul(hidden, self.position_score))  # (batch, glimpses)
        centre = ops.cast(share, exact) * _lengths(place, readable)
        distance = place - centre[:, :, None]  # (batch, glimpses, positions)
        window = ops.abs(distance) <= self.reach
        if readable is not None:
            window = ops.logical_and(window, readable[:, None, :])
        alignments = super().align(scores, window, query, state, training)
        bell = ops.exp(-2 * ops.square(distance / self.reach))  # −d² / 2σ² for σ = D / 2
        return alignments * ops.cast(bell, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "units": self.units, "reach": self.reach}


def _lengths(place: Any, readable: Tensor) -> Tensor:
    """Positions up to the last readable one, `(batch, 1)` or a number for all."""
    if readable is None:
        return ops.cast(ops.shape(place)[0], place.dtype)
    # An initial value, for where there are no positions or no rows.
    return ops.max(ops.where(readable, place + 1, 0), axis=-1, keepdims=True, initial=0)
