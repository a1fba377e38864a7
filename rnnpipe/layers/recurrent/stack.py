"""Several recurrent layers on top of each other."""

import copy
from types import SimpleNamespace
from typing import Any

import keras

from rnnpipe.layers.errors import layer_error
from rnnpipe.layers.recurrent.learned_state import LearnedState
from rnnpipe.types import Nested, Shape, Tensor

CONNECTIONS = (None, "residual", "highway")


@keras.saving.register_keras_serializable("rnnpipe")
class RecurrentStack(keras.layers.Layer):
    """`depth` copies of a recurrent layer on top of each other.

    With xₗ the input and f(xₗ) the output of layer l, the input of the next is, after dropout,

        f(xₗ)                                     plain
        xₗ + f(xₗ)                                residual
        t ⊙ f(xₗ) + (1 − t) ⊙ xₗ,  t = σ(xₗ W + b)  highway

    The lowest layer has no connection, since its input is of another size.

    Args:
        layer: what is copied: a recurrent layer of this package or of Keras, with its options;
            `return_sequences` and `return_state` are the stack's own.
        depth: how many copies.
        bidirectional: whether each layer also reads backwards; the two halves are concatenated.
        dropout: fraction of the outputs between two layers that is dropped in training.
        connection: None, `"residual"` or `"highway"`.
        learned_state: whether the first states are trained vectors, see `LearnedState`, instead of
            zeros.
        seed: of the dropout.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: the states of all layers in one list, as `return_state=True` gives them;
            without it, the first states are zeros, or those that are learned.
        mask: `(batch, time)`, False at padding.
        training: whether dropout is on.

    Returns:
        The top layer's output, `(batch, units)`, or `(batch, time, units)` if `layer` returns
        sequences, twice as wide if bidirectional; if `layer` returns its state, a tuple of it and
        the states of all layers, the lowest first.

    Raises:
        UserError: if an option is out of range, or a connection would have to join a sequence
            with a single output.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import GRU
        >>> stack = RecurrentStack(GRU(4, return_sequences=True), 3, connection="residual")
        >>> tuple(stack(numpy.zeros((2, 7, 3))).shape)
        (2, 7, 4)

    Source: highway: Srivastava, Greff and Schmidhuber, Highway Networks, 2015, equation 3; between
    recurrent layers: Zhang et al., Highway Long Short-Term Memory RNNs, 2016.
    """

    def __init__(
        self,
        layer: Any,
        depth: int,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        connection: str | None = None,
        learned_state: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if depth < 1:
            raise layer_error(self, "a depth of at least 1", str(depth), "write e.g. depth=2")
        if connection not in CONNECTIONS:
            raise layer_error(
                self, f"a connection of {CONNECTIONS}", repr(connection), "choose one"
            )
        if connection and depth > 1 and not layer.return_sequences:
            raise layer_error(
                self,
                f"a layer with return_sequences=True for {connection} connections",
                "return_sequences=False",
                "set it, and take the last step afterwards",
            )
        self.template, self.depth = keras.saving.serialize_keras_object(layer), depth
        self.bidirectional, self.connection, self.seed = bidirectional, connection, seed
        self.return_state, self.supports_masking = layer.return_state, True
        self.return_sequences = layer.return_sequences
        self.rate = dropout
        # While Keras loads a model it identifies objects by address, and confuses a layer with a
        # deleted one at the same address: so no copy is deleted.
        self._copied = SimpleNamespace(layers=[layer])  # not a list: these are no layers of ours
        self.layers = [self._copy(level) for level in range(depth)]
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.gates = [self._gate(level) for level in range(1, depth)] if self._highway else []
        self.learned_state = learned_state
        self.first_states = self._make_first_states() if learned_state else None

    @property
    def _highway(self) -> bool:
        return self.connection == "highway"

    def _copy(self, level: int) -> Tensor:
        # A copy, since some layers take what they need out of their configuration.
        layer = keras.saving.deserialize_keras_object(copy.deepcopy(self.template))
        config = layer.get_config()
        config["name"] = f"level_{level}"
        config["return_state"] = True
        config["return_sequences"] = level < self.depth - 1 or self.return_sequences
        self._copied.layers.append(layer)
        layer = type(layer).from_config(config)
        if self.bidirectional:
            self._copied.layers.append(layer)
            return keras.layers.Bidirectional(layer, name=f"level_{level}")
        return layer

    def _make_first_states(self) -> LearnedState:
        # How many states a layer has, and their sizes, do not depend on what it reads.
        states = [layer.compute_output_shape((None, None, 1))[1:] for layer in self.layers]
        sizes = [shape[-1] for shapes in states for shape in shapes]
        return LearnedState(sizes, dtype=self.dtype_policy, name="first_states")

    def _gate(self, level: int) -> Tensor:
        # The bias of the paper's section 2.2: at first a layer passes its input on.
        bias = keras.initializers.Constant(-1.0)
        units = self.layers[0].compute_output_shape((None, None, 1))[0][-1]
        return keras.layers.Dense(
            units,
            activation="sigmoid",
            bias_initializer=bias,
            dtype=self.dtype_policy,
            name=f"gate_{level}",
        )

    def build(self, sequences_shape: Shape, initial_state_shape: Nested[Shape] = None) -> None:
        """Builds every level for `(batch, time, features)`."""
        del initial_state_shape
        shape = tuple(sequences_shape)
        if self.first_states is not None:
            self.first_states.build(shape)
        for level, layer in enumerate(self.layers):
            layer.build(shape)
            if level and self._highway:
                self.gates[level - 1].build(shape)
            shape = tuple(layer.compute_output_shape(shape)[0])

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested[Tensor] = None,
        mask: Tensor = None,
        training: bool = False,
    ) -> Tensor:
        """Runs all levels; see the class for the arguments."""
        if initial_state is None and self.first_states is not None:
            initial_state = self.first_states(sequences)
        states, first_states = [], self._split(initial_state)
        for level, layer in enumerate(self.layers):
            inputs = self.dropout(sequences, training=training) if level else sequences
            output, *after = layer(
                inputs, initial_state=first_states[level], mask=mask, training=training
            )
            sequences = self._connect(level, inputs, output)
            states += after
        return (sequences, *states) if self.return_state else sequences

    def _connect(self, level: int, inputs: Tensor, output: Any) -> Tensor:
        if not level or not self.connection:
            return output
        if self.connection == "residual":
            return inputs + output
        gate = self.gates[level - 1](inputs)
        return gate * output + (1 - gate) * inputs

    def _split(self, states: Nested[Tensor]) -> list[Any]:
        """The states of each level."""
        if states is None:
            return [None] * self.depth
        count, rest = divmod(len(states), self.depth)
        if rest or not count:
            raise layer_error(
                self,
                f"initial_state with the states of {self.depth} layers",
                f"{len(states)} tensors",
                "pass the states that return_state=True returns",
            )
        return [states[level * count : (level + 1) * count] for level in range(self.depth)]

    def compute_mask(self, _: Any, mask: Tensor = None) -> Tensor:
        """Only a sequence carries the mask."""
        mask = mask if self.return_sequences else None
        if not self.return_state:
            return mask
        states = self.depth * (len(self.layers[0].compute_output_shape((None, None, 1))) - 1)
        return [mask, *[None] * states]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "layer": self.template,
            "depth": self.depth,
            "bidirectional": self.bidirectional,
            "dropout": self.rate,
            "connection": self.connection,
            "learned_state": self.learned_state,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RecurrentStack":
        """Creates a stack from its config."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
