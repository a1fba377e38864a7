"""From the last states of an encoder to the first states of a decoder."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.recurrent.checks import check_state_sizes
from rnnpipe.types import Nested, Shape, Tensor

KINDS = ("dense", "copy", "zeros")


@keras.saving.register_keras_serializable("rnnpipe")
class Bridge(keras.layers.Layer):
    """Turns the last states of an encoder into the first states of a decoder.

        dense: sₖ = activation([h₁; h₂; …] Wₖ + bₖ)     copy: sₖ = hₖ     zeros: sₖ = 0

    A copy of the states of a bidirectional encoder, of which there are twice as many, joins those
    of both directions of each layer: sₖ = [forward hₖ; backward hₖ]. Two GRU layers in two
    directions have as many states as one LSTM layer, so it needs to know the layers: by `layers`,
    or by a list of states for each.

    Args:
        sizes: of the decoder's states, e.g. `[512]` for a GRU and `[512, 512]` for an LSTM: its
            `state_sizes`.
        kind: `"dense"`, `"copy"` or `"zeros"`.
        activation: of the dense layer.
        layers: how many layers the encoder has, for a copy of both directions; needed only where
            that does not follow from the sizes.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        states: of the encoder, one tensor `(batch, units)` or a list of them, in the order in which
            `return_state=True` gives them; or for each layer, the lowest first, a list of its own.

    Returns:
        A list of `(batch, size)`, for `initial_state`.

    Raises:
        UserError: if the kind is none of these, there is no size, or a copy does not fit or could
            be one of several.

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
        self,
        sizes: Sequence[int],
        kind: str = "dense",
        activation: Any = "tanh",
        *,
        layers: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_state_sizes(self, sizes, "a decoder's state_sizes")
        if kind not in KINDS:
            raise layer_error(self, f"a kind of {KINDS}", repr(kind), "choose one")
        if layers is not None and not is_count(layers):
            raise layer_error(self, "at least 1 layer", str(layers), "write e.g. layers=2")
        self.sizes, self.kind, self.count = [int(size) for size in sizes], kind, layers
        self.activation = keras.activations.get(activation)
        self.dense = []
        if kind == "dense":
            self.dense = [
                keras.layers.Dense(
                    size, activation=activation, dtype=self.dtype_policy, name=f"state_{index}"
                )
                for index, size in enumerate(self.sizes)
            ]

    def build(self, states_shape: Nested[Shape]) -> None:
        """Creates the dense layers, or checks that a copy fits."""
        shapes = _nest(states_shape, is_leaf=_is_shape)
        width = sum(shape[-1] for shape in _flatten(shapes))
        for dense in self.dense:
            dense.build((None, width))
        if self.kind == "copy":
            self._find_layers(shapes)

    def call(self, states: Nested[Tensor]) -> list[Any]:
        """The first states; see the class for the equations."""
        nested = _nest(states, is_leaf=lambda each: not isinstance(each, list | tuple))
        flat = _flatten(nested)
        if self.kind == "dense":
            joined = ops.concatenate(flat, axis=-1)
            return [dense(joined) for dense in self.dense]
        if self.kind == "zeros":
            batch = ops.shape(flat[0])[0]
            return [ops.zeros((batch, size), dtype=self.compute_dtype) for size in self.sizes]
        if len(flat) == len(self.sizes):
            return flat
        layers = self._find_layers([[tuple(state.shape) for state in each] for each in nested])
        return [ops.concatenate(pair, axis=-1) for pair in _pairs(flat, layers)]

    def compute_output_shape(self, states_shape: Nested[Shape]) -> list[tuple[Any, ...]]:
        """A shape for each state of the decoder."""
        batch = _flatten(_nest(states_shape, is_leaf=_is_shape))[0][0]
        return [(batch, size) for size in self.sizes]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic states, by a symbolic call: it also checks the arguments."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def _find_layers(self, shapes: list[list[Any]]) -> int:
        """How many layers a copy reads, from the shapes of the states of each, or of all."""
        sizes = [shape[-1] for shape in _flatten(shapes)]
        if self.sizes == sizes:
            return len(sizes)
        known = len(shapes) if len(shapes) > 1 else self.count
        numbers = range(1, len(self.sizes) + 1) if known is None else [known]
        fitting = [
            number
            for number in numbers
            if len(sizes) == 2 * len(self.sizes)
            and len(self.sizes) % number == 0
            and [a + b for a, b in _pairs(sizes, number)] == self.sizes
        ]
        if not fitting:
            fix = 'let both sides be of the same sizes, or take kind="dense"'
            raise layer_error(self, f"states of sizes {self.sizes}", str(sizes), fix)
        if len(fitting) > 1:
            got = f"{len(sizes)} states of {' or '.join(map(str, fitting))} layers"
            fix = f"write e.g. layers={fitting[0]}, or pass a list of states for each layer"
            raise layer_error(self, "the number of the encoder's layers", got, fix)
        return fitting[0]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        activation = keras.activations.serialize(self.activation)
        options = {
            "sizes": list(self.sizes),
            "kind": self.kind,
            "activation": activation,
            "layers": self.count,
        }
        return {**super().get_config(), **options, "activation": activation}


def _is_shape(shape: Any) -> bool:
    return not isinstance(shape[0], list | tuple)


def _nest(states: Any, is_leaf: Callable[[Any], bool]) -> list[list[Any]]:
    """States, or their shapes, as a list for each layer; flat ones are all in one."""
    if is_leaf(states):
        return [[states]]
    if all(is_leaf(each) for each in states):
        return [list(states)]
    return [[each] if is_leaf(each) else list(each) for each in states]


def _flatten(nested: list[list[Any]]) -> list[Any]:
    return [each for layer in nested for each in layer]


def _pairs(states: list[Any], layers: int) -> list[tuple[Any, Any]]:
    """The forward and the backward state of each cell, where each layer has all forward first."""
    count = len(states) // layers
    by_layer = [states[start : start + count] for start in range(0, len(states), count)]
    return [
        pair
        for each in by_layer
        for pair in zip(each[: count // 2], each[count // 2 :], strict=True)
    ]
