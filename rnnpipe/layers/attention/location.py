"""Location-aware attention (Chorowski et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.additive import AdditiveAttention
from rnnpipe.layers.errors import is_count, is_number, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class LocationAttention(AdditiveAttention):
    """Additive attention that reads the previous alignments around each position.

        fᵢ = (F ∗ α_before)ᵢ     eᵢ = v · tanh(q W_q + mᵢ W_m + fᵢ W_f + b)     α = softmax(e)

    It scores by content and by location (the paper's hybrid), so it can tell equal pieces of the
    memory apart and learn to move on. The state is the last alignments, zeros at first, of shape
    `(batch, glimpses, ...positions)`. Its weights are those of `AdditiveAttention`, then
    `convolution` (kernel_size, glimpses, filters), with a second kernel_size over a grid, and
    `location_kernel` (filters, units).

    Sharpening multiplies the scores by β > 1, so that little of a long memory is read where it does
    not matter; smoothing takes σ(β e) in the place of exp(β e), so that a step may read several
    positions alike:

        α = exp(β eᵢ) / Σⱼ exp(β eⱼ)     or     α = σ(β eᵢ) / Σⱼ σ(β eⱼ)

    Args:
        units: the size of the joint layer.
        glimpses: how many alignments each query makes; each reads those of all.
        filters: how many features fᵢ has.
        kernel_size: positions over which each filter reaches, rows and columns of a grid alike.
        cumulative: whether it reads the sum of all previous alignments, not only the last.
        sharpening: β.
        smoothing: whether alignments are smoothed.
        **kwargs: those of `AdditiveAttention`.

    Raises:
        UserError: as `Attention`; or if `filters`, `kernel_size` or `sharpening` are not positive.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 5, 6))
        >>> attention = LocationAttention(16, filters=4, kernel_size=3)
        >>> state = attention.first_state(memory)
        >>> context, alignments = attention(query, memory, state=state)
        >>> tuple(attention.next_state(state, alignments).shape)
        (2, 1, 5)

    Source: Chorowski et al., Attention-Based Models for Speech Recognition, 2015, sections 2.1 and,
    for sharpening and smoothing, 2.3; `cumulative` after Shen et al., Natural TTS Synthesis by
    Conditioning WaveNet on Mel Spectrogram Predictions, 2018, section 2.2.
    """

    def __init__(
        self,
        units: int,
        glimpses: int = 1,
        *,
        filters: int = 32,
        kernel_size: int = 31,
        cumulative: bool = False,
        sharpening: float = 1.0,
        smoothing: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, glimpses, **kwargs)
        if not is_count(filters) or not is_count(kernel_size):
            got = f"filters={filters}, kernel_size={kernel_size}"
            fix = "write e.g. filters=32, kernel_size=31"
            raise layer_error(self, "at least 1 filter over 1 position", got, fix)
        if not is_number(sharpening) or sharpening <= 0:
            fix = "write e.g. sharpening=2.0"
            raise layer_error(self, "a sharpening above 0", str(sharpening), fix)
        self.filters, self.kernel_size, self.cumulative = filters, kernel_size, cumulative
        self.sharpening, self.smoothing = sharpening, smoothing

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        """Creates the weights; the convolution is over as many axes as the memory has."""
        super().build(query_shape, memory_shape)
        reach = (self.kernel_size,) * (len(memory_shape) - 2)
        self.convolution = self.add_weight(
            (*reach, self.glimpses, self.filters),
            draw_anew(self.kernel_initializer),
            name="convolution",
        )
        self.location_kernel = self._kernel("location_kernel", self.filters, self.units)

    def first_state(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """No alignments yet: zeros `(batch, glimpses, ...positions)`."""
        del mask
        return self._zero_alignments(memory)

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """The alignments, or their sum so far."""
        return state + alignments if self.cumulative else alignments

    def joint(self, query: Tensor, keys: Tensor, state: Nested[Tensor]) -> Tensor:
        """The joint layer of content and location."""
        if len(state.shape) != len(self.convolution.shape):
            expected = f"a memory of {len(self.convolution.shape) - 2} axes of positions"
            raise layer_error(
                self, expected, f"{len(state.shape) - 2}", "pass the kind it was built for"
            )
        before = ops.moveaxis(state, 1, -1)  # (batch, ...positions, glimpses)
        features = ops.conv(before, self.convolution, padding="same", data_format="channels_last")
        features = ops.reshape(features, (*ops.shape(keys)[:2], self.filters))
        return super().joint(query, keys, state) + ops.matmul(features, self.location_kernel)

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """Scores of all positions, of which the softmax is the sharpened or smoothed alignment."""
        scores = self.sharpening * super().scores(query, keys, state, training)
        return ops.log_sigmoid(scores) if self.smoothing else scores

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "cumulative": self.cumulative,
            "sharpening": self.sharpening,
            "smoothing": self.smoothing,
        }
