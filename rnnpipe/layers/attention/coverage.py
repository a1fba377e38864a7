"""Coverage-aware attention (Tu et al. 2016)."""

import math
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.additive import AdditiveAttention
from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.types import Nested, Tensor

_MAX_EXPONENT = math.log(999)  # 1 / σ(x) = 1 + exp(−x) is at most 1000


@keras.saving.register_keras_serializable("rnnpipe")
class CoverageAttention(AdditiveAttention):
    """Additive attention with the coverage of each position by earlier alignments.

        Φᵢ = N σ(mᵢ u)     Cᵢ = Σ_before αᵢ / Φᵢ     eᵢ = v · tanh(q W_q + mᵢ W_m + Cᵢ W_c + b)

    The fertility Φᵢ is how much attention a position needs in total, so that nothing is left out
    and nothing is repeated: the paper's linguistic coverage. It is N / 1000 at least, so that no
    coverage is 0 / 0. The state is the sum of alignments, at first zeros, of shape `(batch,
    glimpses, ...positions)`; the reciprocal of the fertility goes with the keys.
    Its weights are those of `AdditiveAttention`, then `fertility_kernel` (features, 1) and
    `coverage_kernel` (glimpses, units).

    Args:
        units: the size of the joint layer.
        glimpses: how many alignments each query makes; each reads the coverage by all.
        max_fertility: N, the upper bound of the fertility.
        **kwargs: those of `AdditiveAttention`.

    Raises:
        UserError: as `Attention`; or if `max_fertility` is not positive.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 5, 6))
        >>> attention = CoverageAttention(16)
        >>> state = attention.first_state(memory)
        >>> context, alignments = attention(query, memory, state=state)
        >>> tuple(attention.next_state(state, alignments).shape)
        (2, 1, 5)

    Source: Tu et al., Modeling Coverage for Neural Machine Translation, 2016, section 3.1.
    """

    def __init__(
        self, units: int, glimpses: int = 1, *, max_fertility: float = 2.0, **kwargs: Any
    ) -> None:
        super().__init__(units, glimpses, **kwargs)
        if not is_number(max_fertility) or max_fertility <= 0:
            fix = "write e.g. max_fertility=2.0"
            raise layer_error(self, "a max_fertility above 0", str(max_fertility), fix)
        self.max_fertility = max_fertility

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the weights of the additive score, of fertility and of coverage."""
        super().build_scores(query_features, memory_features)
        self.fertility_kernel = self._kernel("fertility_kernel", memory_features, 1)
        self.coverage_kernel = self._kernel("coverage_kernel", self.glimpses, self.units)

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys, and the reciprocal of the fertility, `(batch, positions, 1)`."""
        logits = ops.matmul(memory, self._cast(self.fertility_kernel))
        # A sigmoid underflows to 0, which nothing can be divided by.
        reciprocal = 1 + ops.exp(ops.minimum(-logits, _MAX_EXPONENT))
        return super().project_memory(memory), reciprocal / self.max_fertility

    def first_state(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """Nothing is covered: zeros `(batch, glimpses, ...positions)`."""
        del mask
        return self._zero_alignments(memory)

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """The sum of the alignments so far."""
        return state + alignments

    def joint(self, query: Tensor, keys: Tensor, state: Nested[Tensor]) -> Tensor:
        """The joint layer of content and coverage."""
        content, reciprocal = keys
        batch, positions, _ = ops.shape(content)
        sums = ops.reshape(state, (batch, self.glimpses, positions))
        coverage = ops.transpose(sums, (0, 2, 1)) * reciprocal  # (batch, positions, glimpses)
        return super().joint(query, content, state) + ops.matmul(coverage, self.coverage_kernel)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "max_fertility": self.max_fertility}
