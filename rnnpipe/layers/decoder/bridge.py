"""From the last states of an encoder to the first states of a decoder."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import layer_error
from rnnpipe.types import Nested, Shape, Tensor

KINDS = ("dense", "copy", "zeros")


@keras.saving.register_keras_serializable("rnnpipe")
class Bridge(keras.layers.Layer):
    """Turns the last states of an encoder into the first states of a decoder.

        dense: sₖ = activation([h₁; h₂; …] Wₖ + bₖ)     copy: sₖ = hₖ     zeros: sₖ = 0

    A copy of the states of a bidirectional encoder, of which there are twice as many, joins those
    of both directions: sₖ = [forward hₖ; backward hₖ].

    Args:
        sizes: of the decoder's states, e.g. `[512]` for a GRU and `[512, 512]` for an LSTM: its
            `state_sizes`.
        kind: `"dense"`, `"copy"` or `"zeros"`.
        activation: of the dense layer.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        states: of the encoder, one tensor `(batch, units)` or a list of them, in the order in which
            `return_state=True` gives them.

    Returns:
        A list of `(batch, size)`, for `initial_state`.

    Raises:
        UserError: if the kind is none of these, there is no size, or a copy does not fit.

    Example:
        >>> import keras
        >>> from rnnpipe.layers import GRU
        >>> encoder = keras.layers.Bidirectional(GRU(4, return_sequences=True, return_state=True))
        >>> memory, *states = encoder(keras.Input((None, 3)))
        >>> [state.shape for state in Bridge([6])(states)]
        [(None, 6)]

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and
    Translate, 2015, A.2.2, there from the backward state alone.
    """

    def __init__(
        self, sizes: Sequence[int], kind: str = "dense", activation: Any = "tanh", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not sizes or min(sizes) < 1:
            raise layer_error(
                self, "positive sizes", str(list(sizes)), "pass a decoder's state_sizes"
            )
        if kind not in KINDS:
            raise layer_error(self, f"a kind of {KINDS}", repr(kind), "choose one")
        self.sizes, self.kind = list(sizes), kind
        self.activation = keras.activations.get(activation)
        self.dense = []
        if kind == "dense":
            self.dense = [
                keras.layers.Dense(
                    size, activation=activation, dtype=self.dtype_policy, name=f"state_{index}"
                )
                for index, size in enumerate(self.sizes)
            ]

    def build(self, states_shape: Shape) -> None:
        """Creates the dense layers, or checks that a copy fits."""
        shapes = states_shape if isinstance(states_shape[0], list | tuple) else [states_shape]
        sizes = [shape[-1] for shape in shapes]
        for dense in self.dense:
            dense.build((None, sum(sizes)))
        half = len(sizes) // 2
        joined = [a + b for a, b in zip(sizes[:half], sizes[half:], strict=False)]
        if self.kind == "copy" and self.sizes not in (sizes, joined):
            fix = 'let both sides be of the same sizes, or take kind="dense"'
            raise layer_error(self, f"states of sizes {self.sizes}", str(sizes), fix)

    def call(self, states: Nested[Tensor]) -> list[Any]:
        """The first states; see the class for the equations."""
        states = list(states) if isinstance(states, list | tuple) else [states]
        if self.kind == "dense":
            joined = ops.concatenate(states, axis=-1)
            return [dense(joined) for dense in self.dense]
        if self.kind == "zeros":
            batch = ops.shape(states[0])[0]
            return [ops.zeros((batch, size), dtype=self.compute_dtype) for size in self.sizes]
        count = len(self.sizes)
        if len(states) == count:
            return states
        return [
            ops.concatenate(pair, axis=-1)
            for pair in zip(states[:count], states[count:], strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        activation = keras.activations.serialize(self.activation)
        options = {"sizes": self.sizes, "kind": self.kind, "activation": activation}
        return {**super().get_config(), **options}
