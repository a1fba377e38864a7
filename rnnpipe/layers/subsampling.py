"""Convolutional subsampling of features in time and frequency."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_count, layer_error, shape_text
from rnnpipe.layers.masks import reduce_lengths, reduce_mask, reduce_size, zero_masked
from rnnpipe.types import Nested, Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class ConvolutionalSubsampling(keras.layers.Layer):
    """Convolutions with strides over time and frequency, e.g. of a spectrogram.

    Output t of each of the `depth` convolutions belongs to the frames s t to s t + s − 1 of its
    input, s being the stride: they and the k − s frames around them are what its kernel of k frames
    covers. A causal layer takes all of these from before, so that an output depends on no later
    frame than those it belongs to, and a stream has exactly the outputs of the whole.

    Frames outside of a sequence and masked frames are zeros for every convolution, so that padding
    changes nothing. An output is masked if all the frames that it belongs to are.

    The weights are those of `depth` layers `keras.layers.Conv2D`, of which only the first has one
    channel for its input.

    Args:
        filters: channels of each convolution.
        depth: how many convolutions there are.
        kernel_size: k, frames and frequencies that a kernel covers.
        stride: s, by which each convolution divides the time.
        frequency_stride: by which it divides the frequencies.
        activation: of each convolution.
        causal: whether the kernels cover no later frames.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        features: `(batch, time, frequencies)`.
        mask: `(batch, time)`, False at padding; by default the mask that the features carry.
        state: of a stream: `first_state(batch)` before its first frames, then the state that the
            call before has returned. Of a stream, all chunks but the last must be multiples of
            `factor` frames.

    Returns:
        `(batch, ceil(time / factor), channels)`, the channels of all frequencies that are left side
        by side; with a state a tuple of it and the next state.

    Raises:
        UserError: if an option is out of range, features have the wrong shape, or there is a state
            and the layer is not causal.

    Example:
        >>> import numpy
        >>> layer = ConvolutionalSubsampling(8, depth=2)
        >>> tuple(layer(numpy.zeros((2, 101, 40))).shape), layer.compute_lengths(101)
        ((2, 26, 80), 26)

    Source: convolutions below recurrent layers: Amodei et al., Deep Speech 2, 2016, section 3.4;
    two of stride 2, as here by default: Watanabe et al., ESPnet, 2018.
    """

    def __init__(
        self,
        filters: int = 32,
        depth: int = 2,
        *,
        kernel_size: int = 3,
        stride: int = 2,
        frequency_stride: int = 2,
        activation: Any = "relu",
        causal: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sizes = {
            "filters": filters,
            "depth": depth,
            "stride": stride,
            "frequency_stride": frequency_stride,
        }
        for name, size in sizes.items():
            if not is_count(size):
                raise layer_error(self, f"{name} of at least 1", str(size), f"write e.g. {name}=2")
        largest = max(stride, frequency_stride)
        if not is_count(kernel_size) or kernel_size < largest:
            expected = f"a kernel_size of at least the strides, {largest}"
            fix = "widen it: what lies between the kernels would be lost"
            raise layer_error(self, expected, str(kernel_size), fix)
        self.filters, self.depth, self.kernel_size = filters, depth, kernel_size
        self.stride, self.frequency_stride, self.causal = stride, frequency_stride, causal
        self.activation = keras.activations.get(activation)
        self.supports_masking = True
        self.convolutions = [self._make_convolution(level) for level in range(depth)]

    def _make_convolution(self, level: int) -> Tensor:
        return keras.layers.Conv2D(
            self.filters,
            self.kernel_size,
            strides=(self.stride, self.frequency_stride),
            padding="valid",
            activation=self.activation,
            data_format="channels_last",
            dtype=self.dtype_policy,
            name=f"convolution_{level}",
        )

    @property
    def factor(self) -> int:
        """How many frames of the features become one."""
        return self.stride**self.depth

    @property
    def context(self) -> int:
        """How many frames before its own each output of a convolution covers."""
        outside = self.kernel_size - self.stride
        return outside if self.causal else outside // 2

    @property
    def state_shapes(self) -> list[tuple[int, int, int]]:
        """The shape of each state without the batch; the layer must be built."""
        channels = [1, *[self.filters] * (self.depth - 1)]
        return [
            (self.context, self._frequencies(level), count) for level, count in enumerate(channels)
        ]

    def first_state(self, batch: int) -> list[Tensor]:
        """The state before the first frames: zeros; the layer must be built.

        Args:
            batch: how many sequences there are.
        """
        return [ops.zeros((batch, *shape), self.compute_dtype) for shape in self.state_shapes]

    def build(self, features_shape: Shape, state_shape: Nested[Shape] = None) -> None:
        """Builds the convolutions for `(batch, time, frequencies)`."""
        del state_shape
        if len(features_shape) != 3 or features_shape[-1] is None:
            expected = "features (batch, time, frequencies), whose frequencies are known"
            fix = "pass e.g. log-mel features"
            raise layer_error(self, expected, str(tuple(features_shape)), fix)
        self.frequencies = features_shape[-1]
        for level, convolution in enumerate(self.convolutions):
            _, frequencies, channels = self.state_shapes[level]
            convolution.build((None, None, frequencies + sum(self._padding(level)[2]), channels))

    def _frequencies(self, level: int) -> Any:
        """The frequencies that are left for a convolution."""
        return reduce_size(self.frequencies, self.frequency_stride**level)

    def call(self, features: Tensor, mask: Tensor = None, state: Nested[Tensor] = None) -> Any:
        """Subsamples; see the class for the arguments."""
        self._check(features, mask)
        if state is not None and not self.causal:
            fix = "build it with causal=True"
            raise layer_error(self, "a causal layer for a stream", "causal=False", fix)
        before = self.first_state(ops.shape(features)[0]) if state is None else state
        if 0 in features.shape:  # of which Keras makes no convolution
            nothing = ops.zeros(self.compute_output_shape(features.shape), self.compute_dtype)
            return nothing if state is None else (nothing, before)
        hidden, after = features[..., None], []
        for level, convolution in enumerate(self.convolutions):
            hidden = ops.concatenate([before[level], zero_masked(hidden, mask)], axis=1)
            after.append(hidden[:, -self.context :] if self.context else hidden[:, :0])
            hidden = convolution(ops.pad(hidden, self._padding(level)))
            mask = reduce_mask(mask, self.stride)
        batch, time, frequencies, channels = ops.shape(hidden)
        outputs = ops.reshape(hidden, (batch, time, frequencies * channels))
        return outputs if state is None else (outputs, after)

    def _padding(self, level: int) -> list[list[int]]:
        """What a convolution is padded with: in time after the end, in frequency on both sides."""
        later = self.kernel_size - self.stride - self.context
        size, left = self._frequencies(level), self._frequencies(level + 1)
        missing = max((left - 1) * self.frequency_stride + self.kernel_size - size, 0)
        # The last stride may be incomplete.
        time = [0, later + self.stride - 1]
        return [[0, 0], time, [missing // 2, missing - missing // 2], [0, 0]]

    def _check(self, features: Tensor, mask: Tensor) -> None:
        shape = features.shape
        if len(shape) != 3 or shape[-1] != self.frequencies:
            expected = f"features (batch, time, {self.frequencies})"
            fix = "pass the features it was built for"
            raise layer_error(self, expected, shape_text(features), fix)
        if mask is not None and len(mask.shape) != 2:
            fix = "pass one boolean for each frame"
            raise layer_error(self, "a mask (batch, time)", shape_text(mask), fix)

    def compute_mask(self, _: Any, mask: Tensor = None) -> Tensor:
        """The mask of the outputs."""
        return reduce_mask(mask, self.factor)

    def compute_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths of the outputs for features of these lengths, integers of any shape."""
        return reduce_lengths(lengths, self.factor)

    def compute_output_shape(self, features_shape: Sequence[Any]) -> tuple[Any, ...]:
        """The shape of the outputs."""
        batch, time, frequencies = features_shape
        left = reduce_size(frequencies, self.frequency_stride**self.depth)
        return batch, reduce_size(time, self.factor), left and left * self.filters

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs, by a symbolic call: it also checks the arguments."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth": self.depth,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "frequency_stride": self.frequency_stride,
            "activation": keras.activations.serialize(self.activation),
            "causal": self.causal,
        }
