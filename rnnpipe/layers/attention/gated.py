"""Gated attention (Xu et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.attention.wrapper import AttentionWrapper
from rnnpipe.types import Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class GatedAttention(AttentionWrapper):
    """Gated attention: a gate, computed from the query, on the context of a mechanism.

        β = σ(q W_β + b_β)     context' = β ⊙ context

    So a decoder can use more or less of the memory at each word. The weights are `gate_kernel`
    (query_features, 1 or context features), `gate_bias` and those of the mechanism.

    Args:
        mechanism: any `Attention`.
        per_feature: whether each feature of the context has a gate of its own, and not all the same
            one, which is the paper's.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if `mechanism` is not an `Attention`.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention
        >>> query, image = numpy.zeros((2, 8)), numpy.zeros((2, 7, 7, 6))
        >>> context, alignments = GatedAttention(AdditiveAttention(16))(query, image)
        >>> tuple(context.shape), tuple(alignments.shape)
        ((2, 6), (2, 1, 7, 7))

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.2.1.
    """

    def __init__(self, mechanism: Attention, per_feature: bool = False, **kwargs: Any) -> None:
        super().__init__(mechanism, **kwargs)
        self.per_feature = per_feature

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the gate."""
        del memory_features
        gates = self.context_features if self.per_feature else 1
        self.gate_kernel = self.add_weight((query_features, gates), name="gate_kernel")
        self.gate_bias = self.add_weight((gates,), "zeros", name="gate_bias")

    def read(self, alignments: Tensor, memory: Tensor, query: Tensor, training: bool) -> Tensor:
        """The mechanism's context through the gate."""
        gate = ops.sigmoid(ops.matmul(query, self.gate_kernel) + self.gate_bias)
        return gate * super().read(alignments, memory, query, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "per_feature": self.per_feature}
