"""Zoneout (Krueger et al. 2017)."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.errors import LayerError, is_number, layer_error
from rnnpipe.layers.recurrent.base import call_without_steps
from rnnpipe.types import Nested, Tensor


class _ZoneoutStep(keras.layers.Layer):
    """A cell whose inputs contain, beside its features, the share of each state to keep."""

    def __init__(self, layer: Any) -> None:
        super().__init__(dtype=layer.cell.dtype_policy)
        self.cell, self.sizes = layer.cell, _sizes(layer.cell)
        self.output_error = functools.partial(_output_error, layer)
        self.state_size, self.output_size = layer.cell.state_size, self.sizes[0]

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, Nested[Tensor]]:
        """One step; the output is the state that is the cell's output."""
        start = inputs.shape[-1] - sum(self.sizes)
        output, after = self.cell(inputs[:, :start], states)
        index = next((i for i, new in enumerate(tree.flatten(after)) if new is output), None)
        if index is None:
            raise self.output_error("one that is none of them")
        mixed = []
        old_states, new_states = tree.flatten(states), tree.flatten(after)
        for size, old, new in zip(self.sizes, old_states, new_states, strict=True):
            keep = inputs[:, start : start + size]
            mixed.append(keep * old + (1 - keep) * new)
            start += size
        return mixed[index], tree.pack_sequence_as(states, mixed)


@keras.saving.register_keras_serializable("rnnpipe")
class Zoneout(keras.layers.RNN):
    """A recurrent layer whose units randomly keep their previous values.

        s' = m ⊙ s + (1 − m) ⊙ step(x, s),   m ~ Bernoulli(rate) in training, m = rate otherwise

    The mask of each unit of each state is sampled anew at every step. It replaces
    `keras.layers.RNN`, with all its arguments, for a cell whose output is one of its states.

    Args:
        cell: the cell that steps, of this package or of Keras, without dropout of its own; or a
            list of cells on top of each other.
        rate: chance that a unit keeps its value: one number, or one for each state (the paper's
            LSTM: 0.05 for h, 0.5 for c).
        seed: of the draws.
        **kwargs: those of `keras.layers.RNN`.

    Raises:
        UserError: if there are not as many rates as states, a rate is not in [0, 1), or the cell's
            output is none of its states.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import LSTMCell
        >>> layer = Zoneout(LSTMCell(4), rate=[0.05, 0.5], return_sequences=True)
        >>> tuple(layer(numpy.zeros((2, 7, 3)), training=True).shape)
        (2, 7, 4)

    Source: Krueger et al., Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations,
    2017, section 3.
    """

    def __init__(
        self, cell: Any, rate: float | Sequence[float] = 0.1, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cell, **kwargs)
        sizes = _sizes(self.cell)
        rates: Any = [rate] * len(sizes) if is_number(rate) else rate
        fits = isinstance(rates, Sequence) and len(rates) == len(sizes)
        if not fits or not all(is_number(each) and 0 <= each < 1 for each in rates):
            expected = f"a rate in [0, 1), or one for each of {len(sizes)} states"
            raise layer_error(self, expected, repr(rate), "write e.g. rate=0.1")
        self.rate = [float(each) for each in rates]
        if getattr(self.cell, "output_size", sizes[0]) not in sizes:
            raise _output_error(self, f"one of size {self.cell.output_size}")
        self.seed, self.random = seed, keras.random.SeedGenerator(seed)

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested[Tensor] = None,
        mask: Tensor = None,
        training: bool = False,
        *,
        sequences_mask: Tensor = None,
    ) -> Nested[Tensor]:
        """Runs over time; the arguments are those of `keras.layers.RNN`."""
        mask = sequences_mask if mask is None else mask  # as in `Recurrent`
        if sequences.shape[1] == 0:
            return call_without_steps(self, super().call, sequences, initial_state)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(
        self, sequences: Tensor, initial_state: Nested[Tensor], mask: Tensor, training: bool = False
    ) -> Tensor:
        """Draws for all steps before the loop, since a loop cannot draw on every backend."""
        batch, length, _ = ops.shape(sequences)
        keeps = [sequences]
        for size, rate in zip(_sizes(self.cell), self.rate, strict=True):
            shape = (batch, length, size)
            if training:
                drawn = keras.random.uniform(shape, dtype="float32", seed=self.random)
                keeps.append(ops.cast(drawn < rate, sequences.dtype))
            else:
                keeps.append(ops.full(shape, rate, dtype=sequences.dtype))
        loop = keras.layers.RNN(
            _ZoneoutStep(self),
            return_sequences=True,
            return_state=True,
            go_backwards=self.go_backwards,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            dtype=self.dtype_policy,
        )
        inputs = ops.concatenate(keeps, axis=-1)
        outputs, *states = loop(inputs, initial_state=initial_state, mask=mask)
        return outputs[:, -1], outputs, states

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "rate": list(self.rate), "seed": self.seed}


def _sizes(cell: Any) -> list[int]:
    """The sizes of all states of a cell, or of cells on top of each other."""
    return tree.flatten(cell.state_size)


def _output_error(layer: Any, output: str) -> LayerError:
    got, fix = f"states of sizes {_sizes(layer.cell)} and {output}", "choose another cell"
    return layer_error(layer, "a cell whose output is one of its states", got, fix)
