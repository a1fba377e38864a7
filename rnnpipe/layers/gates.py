"""What the gates of a recurrent layer did: for reports and for teaching."""

from typing import Any

import keras
from keras import ops


class _GateRecorder(keras.layers.Layer):
    """A cell that steps as another does and puts out its gates side by side."""

    def __init__(self, cell: Any, names: tuple[str, ...]) -> None:
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.names = cell, names
        self.state_size, self.output_size = cell.state_size, len(names) * cell.units

    def build(self, input_shape: Any) -> None:
        """The cell is built already."""

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """The first states of the cell."""
        return self.cell.get_initial_state(batch_size)

    def call(self, inputs: Any, states: Any) -> tuple[Any, Any]:
        """The gates of this step, and the new states."""
        _, after = self.cell(inputs, states)
        return ops.concatenate(self._gates(inputs, states[0]), axis=-1), after

    def _gates(self, x: Any, h: Any) -> list[Any]:
        cell, count = self.cell, len(self.names)
        outer, inner = ops.matmul(x, cell.kernel), ops.matmul(h, cell.recurrent_kernel)
        if len(self.names) == 4:
            z = outer + inner + (0.0 if cell.bias is None else cell.bias)
            i, f, g, o = ops.split(z, count, axis=-1)
            squash = cell.recurrent_activation
            return [squash(i), squash(f), cell.activation(g), squash(o)]
        bias = (0.0, 0.0) if cell.bias is None else (cell.bias[0], cell.bias[1])
        z, r, g = ops.split(outer + bias[0], count, axis=-1)
        inner_z, inner_r, inner_g = ops.split(inner + bias[1], count, axis=-1)
        r = cell.recurrent_activation(r + inner_r)
        return [cell.recurrent_activation(z + inner_z), r, cell.activation(g + r * inner_g)]


def record_gates(
    layer: Any, names: tuple[str, ...], sequences: Any, initial_state: Any, mask: Any
) -> dict[str, Any]:
    """The gates of a built layer at every step, each `(batch, time, units)`.

    Args:
        layer: an LSTM, or a GRU that resets after the product.
        names: of the gates, in the order of the weights.
        sequences: `(batch, time, features)`.
        initial_state: the layer's first states, or None for zeros.
        mask: `(batch, time)`, or None; gates are zero at masked steps.
    """
    recorder = keras.layers.RNN(
        _GateRecorder(layer.cell, names),
        return_sequences=True,
        go_backwards=layer.go_backwards,
        zero_output_for_mask=True,
        dtype=layer.dtype_policy,
    )
    gates = recorder(sequences, initial_state=initial_state, mask=mask)
    if layer.go_backwards:
        gates = ops.flip(gates, axis=1)
    return dict(zip(names, ops.split(gates, len(names), axis=-1), strict=True))
