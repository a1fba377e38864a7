"""The gates of a recurrent layer at every step, recorded for reports and for teaching."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
from keras import ops

from rnnpipe.layers.errors import layer_error
from rnnpipe.layers.masks import carried_mask
from rnnpipe.types import Nested, Shape, Tensor

Gates: TypeAlias = Callable[[Tensor, Tensor], list[Tensor]]
"""From inputs `(batch, features)` and the previous output to gates, each `(batch, units)`."""


class _GateCell(keras.layers.Layer):
    """Steps as a built cell does, and outputs its gates side by side."""

    def __init__(self, cell: Any, gates: Gates, count: int) -> None:
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.gates = cell, gates
        self.state_size, self.output_size = cell.state_size, count * cell.units

    def build(self, input_shape: Shape) -> None:
        """The cell is built already."""

    def get_initial_state(self, batch_size: Any = None) -> Nested[Tensor]:
        """The first states of the cell."""
        return self.cell.get_initial_state(batch_size)

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Tensor, Nested[Tensor]]:
        """The gates of this step, and the new states."""
        _, after = self.cell(inputs, states)
        return ops.concatenate(self.gates(inputs, states[0]), axis=-1), after


def record_gates(
    layer: Any,
    names: Sequence[str],
    gates: Gates,
    sequences: Tensor,
    initial_state: Nested[Tensor],
    mask: Tensor,
) -> dict[str, Tensor]:
    """The gates of a built recurrent layer at every step, each `(batch, time, units)`.

    Args:
        layer: the layer.
        names: the names of the gates, in the order of `gates`.
        gates: computes the gates of one step.
        sequences: `(batch, time, features)`.
        initial_state: the layer's first states, or None for those that a call would start from:
            zeros, or the states that a stateful layer keeps.
        mask: `(batch, time)`, or None for that which the sequences carry; gates are zero at masked
            steps.

    Raises:
        UserError: if the cell has equations of its own.
    """
    if layer.has_own_cell:
        got, fix = f"a {type(layer.cell).__name__}", "compute them as its `call` does"
        raise layer_error(layer, "the cell of Keras to record gates", got, fix)
    if initial_state is None and layer.stateful:
        initial_state = layer.states
    mask = carried_mask(sequences) if mask is None else mask
    recorder = keras.layers.RNN(
        _GateCell(layer.cell, gates, len(names)),
        return_sequences=True,
        go_backwards=layer.go_backwards,
        zero_output_for_mask=True,
        dtype=layer.dtype_policy,
    )
    recorded = recorder(sequences, initial_state=initial_state, mask=mask)
    if layer.go_backwards:
        recorded = ops.flip(recorded, axis=1)
    return dict(zip(names, ops.split(recorded, len(names), axis=-1), strict=True))
