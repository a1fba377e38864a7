"""Zoneout (Krueger et al. 2017)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import layer_error
from rnnpipe.types import Nested, Tensor


class _ZoneoutStep(keras.layers.Layer):
    """A cell whose inputs contain, beside its features, the share of each state to keep."""

    def __init__(self, cell: Any) -> None:
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.sizes = cell, _sizes(cell)
        self.state_size = cell.state_size

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; the first state is the output."""
        features = inputs.shape[-1] - sum(self.sizes)
        _, after = self.cell(inputs[:, :features], states)
        mixed, start = [], features
        for size, old, new in zip(self.sizes, states, after, strict=True):
            keep = inputs[:, start : start + size]
            mixed.append(keep * old + (1 - keep) * new)
            start += size
        return mixed[0], mixed


@keras.saving.register_keras_serializable("rnnpipe")
class Zoneout(keras.layers.RNN):
    """A recurrent layer whose units randomly keep their previous values.

        s' = m ⊙ s + (1 − m) ⊙ step(x, s),   m ~ Bernoulli(rate) in training, m = rate otherwise

    The mask of each unit of each state is sampled anew at every step. It replaces
    `keras.layers.RNN`, with all its arguments, for a cell whose output is its first state.

    Args:
        cell: the cell that steps, of this package or of Keras, without dropout of its own.
        rate: chance that a unit keeps its value: one number, or one for each state (the paper's
            LSTM: 0.05 for h, 0.5 for c).
        seed: of the draws.
        **kwargs: those of `keras.layers.RNN`.

    Raises:
        UserError: if there are not as many rates as states, a rate is not in [0, 1), or the cell's
            output is not its first state.

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
        sizes = _sizes(cell)
        self.rate = [rate] * len(sizes) if isinstance(rate, float | int) else list(rate)
        if len(self.rate) != len(sizes) or not all(0 <= each < 1 for each in self.rate):
            expected = f"a rate in [0, 1), or one for each of {len(sizes)} states"
            raise layer_error(self, expected, repr(rate), "write e.g. rate=0.1")
        if getattr(cell, "output_size", sizes[0]) != sizes[0]:
            got = f"an output of {cell.output_size} and a state of {sizes[0]}"
            raise layer_error(
                self, "a cell whose output is its first state", got, "choose another cell"
            )
        self.seed, self.random = seed, keras.random.SeedGenerator(seed)

    def inner_loop(
        self, sequences: Tensor, initial_state: Nested[Tensor], mask: Tensor, training: bool = False
    ) -> Tensor:
        """Draws for all steps before the loop, since a loop cannot draw on every backend."""
        batch, length, _ = ops.shape(sequences)
        keeps = [sequences]
        for size, rate in zip(_sizes(self.cell), self.rate, strict=True):
            shape = (batch, length, size)
            if training:
                drawn = keras.random.uniform(shape, seed=self.random) < rate
                keeps.append(ops.cast(drawn, sequences.dtype))
            else:
                keeps.append(ops.full(shape, rate, dtype=sequences.dtype))
        loop = keras.layers.RNN(
            _ZoneoutStep(self.cell),
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
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def _sizes(cell: Any) -> list[int]:
    return [cell.state_size] if isinstance(cell.state_size, int) else list(cell.state_size)
