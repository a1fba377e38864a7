"""First states of a recurrent layer that are learned."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.recurrent.checks import check_state_sizes
from rnnpipe.types import Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class LearnedState(keras.layers.Layer):
    """A trainable vector for each state of a recurrent layer, the same for every sequence.

    Args:
        sizes: of the states, e.g. `[units, units]` for an LSTM: a layer's `state_size`.
        initializer: of the vectors.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        sequences: anything whose first axis is the batch, e.g. the layer's own input.

    Returns:
        A list of `(batch, size)`, for `initial_state`.

    Raises:
        UserError: if there is no size, or one is not positive.

    Example:
        >>> import keras
        >>> from rnnpipe.layers import LSTM
        >>> sequences = keras.Input((None, 3))
        >>> states = LearnedState([4, 4])(sequences)
        >>> LSTM(4)(sequences, initial_state=states).shape
        (None, 4)

    Note:
        Keras hands the mask that `sequences` carry to a layer only where nothing else is passed
        along: with `initial_state`, pass `mask` too.
    """

    def __init__(self, sizes: Sequence[int], initializer: Any = "zeros", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_state_sizes(self, sizes, "a layer's state_size")
        self.sizes = [int(size) for size in sizes]
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, sequences_shape: Shape) -> None:
        """Creates a vector for each state."""
        del sequences_shape
        self.vectors = [
            self.add_weight((size,), self.initializer, name=f"state_{index}")
            for index, size in enumerate(self.sizes)
        ]

    def call(self, sequences: Tensor) -> list[Any]:
        """The vectors, repeated for each sequence."""
        batch = ops.shape(sequences)[0]
        return [
            ops.broadcast_to(ops.cast(vector, self.compute_dtype), (batch, size))
            for vector, size in zip(self.vectors, self.sizes, strict=True)
        ]

    def compute_output_shape(self, sequences_shape: Shape) -> list[tuple[Any, ...]]:
        """A shape for each state."""
        return [(sequences_shape[0], size) for size in self.sizes]

    def compute_mask(self, *_: Any) -> None:
        """States carry no mask."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "sizes": list(self.sizes), "initializer": initializer}
