"""Several recurrent layers on top of each other."""

import copy
from types import SimpleNamespace
from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.errors import check_state_shapes
from rnnpipe.layers.frame_stacking import FrameStacking
from rnnpipe.layers.masks import reduce_lengths, reduce_mask
from rnnpipe.layers.recurrent.checks import check_stack, check_time_reduction
from rnnpipe.layers.recurrent.learned_state import LearnedState
from rnnpipe.layers.recurrent.level import BidirectionalLevel, output_shape, state_sizes
from rnnpipe.types import Nested, Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class RecurrentStack(keras.layers.Layer):
    """`depth` copies of a recurrent layer on top of each other.

    With xₗ the input and f(xₗ) the output of layer l, the input of the next is, after dropout,

        f(xₗ)                                     plain
        xₗ + f(xₗ)                                residual
        t ⊙ f(xₗ) + (1 − t) ⊙ xₗ,  t = σ(xₗ W + b)  highway

    The lowest layer has no connection, since its input is of another size.

    A pyramidal stack, with a `time_reduction` of n, concatenates every n successive outputs of a
    layer for the next, which so has a shorter sequence; see `FrameStacking`.

    Args:
        layer: what is copied: a recurrent layer of this package or of Keras, with its options;
            `return_sequences` and `return_state` are the stack's own.
        depth: how many copies.
        bidirectional: whether each layer also reads backwards; the two halves are concatenated.
        dropout: fraction of the outputs between two layers that is dropped in training.
        variational_dropout: whether the same features are dropped at all steps of a sequence,
            instead of others at each (Gal & Ghahramani 2016).
        connection: None, `"residual"` or `"highway"`.
        learned_state: whether the first states are trained vectors, see `LearnedState`, instead of
            zeros.
        time_reduction: n, how many outputs of a layer become one input of the next.
        go_backwards: whether the sequence is read from its end, and the outputs are in that order.
        seed: of the dropout.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: the states of all layers in one list, as `return_state=True` gives them, or
            a list for each layer; without it, the first states are zeros, those that are learned,
            or, if `layer` is stateful, those that the last call has left.
        mask: `(batch, time)`, False at padding; by default the mask that the sequences carry.
        training: whether dropout is on.

    Returns:
        The top layer's output, `(batch, units)`, or `(batch, time, units)` if `layer` returns
        sequences, twice as wide if bidirectional, where time is that of `compute_lengths` in a
        pyramidal stack; if `layer` returns its state, a tuple of it and
        the states of all layers, the lowest first.

    Raises:
        UserError: if an option is out of range, `layer` is no recurrent layer, a connection would
            have to join a sequence with a single output, or states do not fit.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import GRU
        >>> stack = RecurrentStack(GRU(4, return_sequences=True), 3, connection="residual")
        >>> tuple(stack(numpy.zeros((2, 7, 3))).shape)
        (2, 7, 4)

    Source: highway: Srivastava, Greff and Schmidhuber, Highway Networks, 2015, equation 3; between
    recurrent layers: Zhang et al., Highway Long Short-Term Memory RNNs, 2016; pyramidal: Chan et
    al., Listen, Attend and Spell, 2016, equation 5.
    """

    def __init__(
        self,
        layer: Any,
        depth: int,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        connection: str | None = None,
        learned_state: bool = False,
        time_reduction: int = 1,
        go_backwards: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_stack(self, layer, depth, connection, learned_state)
        check_time_reduction(self, time_reduction, depth, connection, go_backwards)
        self.depth, self.time_reduction = depth, time_reduction
        self.stacking = FrameStacking(time_reduction, dtype=self.dtype_policy)
        self.bidirectional, self.connection, self.seed = bidirectional, connection, seed
        self.return_state, self.supports_masking = layer.return_state, True
        self.return_sequences = layer.return_sequences
        self.stateful = getattr(layer, "stateful", False)
        self.go_backwards, self.rate = go_backwards, dropout
        # While Keras loads a model it identifies objects by address, and confuses a layer with a
        # deleted one at the same address: so no copy is deleted.
        # Nothing that Keras tracks: these are no layers of ours, and a config can be copied.
        self._copied = SimpleNamespace(
            layers=[layer], template=keras.saving.serialize_keras_object(layer)
        )
        self.layers = [self._copy(level) for level in range(depth)]
        self.variational_dropout = variational_dropout
        kind = keras.layers.SpatialDropout1D if variational_dropout else keras.layers.Dropout
        self.dropout = kind(dropout, seed=seed, dtype=self.dtype_policy)
        self.gates = [self._gate(level) for level in range(1, depth)] if self._highway else []
        self.learned_state = learned_state
        self.first_states = self._make_first_states() if learned_state else None

    @property
    def _highway(self) -> bool:
        return self.connection == "highway"

    def _copy(self, level: int) -> Tensor:
        # A copy, since some layers take what they need out of their configuration.
        layer = keras.saving.deserialize_keras_object(copy.deepcopy(self._copied.template))
        config = layer.get_config()
        config["name"] = f"level_{level}"
        config["return_sequences"] = level < self.depth - 1 or self.return_sequences
        self._copied.layers.append(layer)
        layer = type(layer).from_config(config)
        if self.bidirectional:
            self._copied.layers.append(layer)
            return BidirectionalLevel(layer, dtype=layer.dtype_policy, name=f"level_{level}")
        return layer

    def _make_first_states(self) -> LearnedState:
        return LearnedState(self.state_size, dtype=self.dtype_policy, name="first_states")

    @property
    def state_size(self) -> list[int]:
        """The sizes of the states of all layers, the lowest first."""
        return [size for layer in self.layers for size in state_sizes(layer)]

    @property
    def states(self) -> list[Any] | None:
        """The states that a stateful stack keeps, the lowest layer's first; None without."""
        kept = [layer.states for layer in self.layers]
        return None if None in kept else [state for states in kept for state in states]

    def reset_state(self) -> None:
        """Sets the states that a stateful stack keeps to zero."""
        for layer in self.layers:
            layer.reset_state()

    reset_states = reset_state  # the name of earlier versions, which Keras keeps too

    def _gate(self, level: int) -> Tensor:
        # The bias of the paper's section 2.2: at first a layer passes its input on.
        bias = keras.initializers.Constant(-1.0)
        units = output_shape(self.layers[0], (None, None, 1))[-1]
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
            shape = self._shape_between(level, shape)
            layer.build(shape)
            if level and self._highway:
                self.gates[level - 1].build(shape)
            shape = output_shape(layer, shape)

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested[Tensor] = None,
        mask: Tensor = None,
        training: bool = False,
        *,
        sequences_mask: Tensor = None,
    ) -> Tensor:
        """Runs all levels; see the class for the arguments."""
        mask = sequences_mask if mask is None else mask  # as in `Recurrent`
        if initial_state is None and self.first_states is not None:
            initial_state = self.first_states(sequences)
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        states, first_states = [], self._split(initial_state)
        for level, layer in enumerate(self.layers):
            inputs = self.dropout(sequences, training=training) if level else sequences
            if level and self.time_reduction > 1:
                inputs = self.stacking(inputs, mask=mask)
                mask = self.stacking.compute_mask(sequences, mask)
            output = layer(inputs, initial_state=first_states[level], mask=mask, training=training)
            if self.return_state:
                output, *after = output
                states += after
            sequences = self._connect(level, inputs, output)
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
        states = tree.flatten(states)
        expected = [(None, size) for size in self.state_size]
        fix = "pass the states that return_state=True returns, of all layers"
        check_state_shapes(self, states, expected, fix)
        count = len(states) // self.depth
        return [states[level * count : (level + 1) * count] for level in range(self.depth)]

    def compute_output_shape(
        self, sequences_shape: Shape, initial_state_shape: Nested[Shape] = None
    ) -> Any:
        """The shape of the output, and those of the states if they are returned."""
        del initial_state_shape
        batch, shape = sequences_shape[0], tuple(sequences_shape)
        for level, layer in enumerate(self.layers):
            shape = output_shape(layer, self._shape_between(level, shape))
        states = [(batch, size) for size in self.state_size]
        return (shape, *states) if self.return_state else shape

    def _shape_between(self, level: int, shape: Shape) -> tuple[Any, ...]:
        """The shape of a layer's input, from that of the output below it."""
        return self.stacking.compute_output_shape(shape) if level else tuple(shape)

    def compute_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths of the outputs for sequences of these lengths, integers of any shape."""
        return reduce_lengths(lengths, self.time_reduction ** (self.depth - 1))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs, by a symbolic call: it also checks the arguments."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def compute_mask(self, _: Any, mask: Tensor = None) -> Tensor:
        """Only a sequence carries the mask."""
        mask = reduce_mask(mask, self.time_reduction ** (self.depth - 1))
        mask = mask if self.return_sequences else None
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "layer": copy.deepcopy(self._copied.template),
            "depth": self.depth,
            "bidirectional": self.bidirectional,
            "dropout": self.rate,
            "variational_dropout": self.variational_dropout,
            "connection": self.connection,
            "learned_state": self.learned_state,
            "time_reduction": self.time_reduction,
            "go_backwards": self.go_backwards,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RecurrentStack":
        """Creates a stack from its config."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
