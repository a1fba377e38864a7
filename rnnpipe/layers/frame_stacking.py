"""Successive frames as one."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_count, layer_error, shape_text
from rnnpipe.layers.masks import (
    reduce_lengths,
    reduce_mask,
    reduce_size,
    split_phases,
    zero_masked,
)
from rnnpipe.types import Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class FrameStacking(keras.layers.Layer):
    """Concatenates every `size` successive frames, which makes a sequence shorter.

        y_i = [x_{n i}; x_{n i + 1}; …; x_{n i + n − 1}]

    Frames that the last group lacks are zeros, as are masked ones: padding changes nothing. A group
    is masked if all its frames are. A stream whose chunks are multiples of `size` has the same
    outputs as the whole.

    Args:
        size: n, how many frames become one.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        mask: `(batch, time)`, False at padding; by default the mask that the sequences carry.

    Returns:
        `(batch, ceil(time / size), size * features)`.

    Raises:
        UserError: if `size` is not positive, or the sequences have another rank.

    Example:
        >>> import numpy
        >>> stacked = FrameStacking(2)(numpy.array([[[1.0], [2.0], [3.0]]]))
        >>> numpy.asarray(stacked).tolist()
        [[[1.0, 2.0], [3.0, 0.0]]]

    Source: Sak et al., Fast and Accurate Recurrent Neural Network Acoustic Models for Speech
    Recognition, 2015, section 5; between recurrent layers: Chan et al., Listen, Attend and Spell,
    2016, equation 5.
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_count(size):
            raise layer_error(self, "at least 1 frame", str(size), "write e.g. size=2")
        self.size, self.supports_masking = size, True

    def call(self, sequences: Tensor, mask: Tensor = None) -> Tensor:
        """Concatenates frames; see the class for the arguments."""
        if len(sequences.shape) != 3:
            expected, fix = "sequences (batch, time, features)", "keep the frames apart"
            raise layer_error(self, expected, shape_text(sequences), fix)
        return ops.concatenate(split_phases(zero_masked(sequences, mask), self.size), axis=-1)

    def compute_mask(self, _: Any, mask: Tensor = None) -> Tensor:
        """The mask of the groups."""
        return reduce_mask(mask, self.size)

    def compute_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths of the outputs for sequences of these lengths, integers of any shape."""
        return reduce_lengths(lengths, self.size)

    def compute_output_shape(self, sequences_shape: Shape) -> tuple[Any, ...]:
        """The shape of the output."""
        batch, time, features = sequences_shape
        return batch, reduce_size(time, self.size), self.size * features

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs, by a symbolic call: it also checks the arguments."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "size": self.size}
