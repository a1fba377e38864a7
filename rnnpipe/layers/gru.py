"""Gated recurrent unit (Cho et al. 2014)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.faults import fault
from rnnpipe.layers.gates import record_gates
from rnnpipe.layers.options import CheckedOptions
from rnnpipe.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("rnnpipe")
class GRUCell(CheckedOptions, keras.layers.GRUCell):
    """One step of a gated recurrent unit: `keras.layers.GRUCell`, under this package's name.

        z = σ(x W_z + h U_z + b_z)     r = σ(x W_r + h U_r + b_r)
        g = tanh(x W_g + b_g + r ⊙ (h U_g + b'_g))
        h' = z ⊙ h + (1 − z) ⊙ g

    With `reset_after=False`, the form of the paper, g = tanh(x W_g + (r ⊙ h) U_g + b_g).

    `call(inputs, states, training=False)` takes `(batch, features)` and `[h]`, `(batch, units)`,
    and returns `h', [h']`. The weights are `kernel` (features, 3 units), `recurrent_kernel`
    (units, 3 units) and `bias` (2, 3 units), or (3 units) with `reset_after=False`, gates in the
    order z, r, g.

    Args:
        units: the size of h; all other arguments are those of `keras.layers.GRUCell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(GRUCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """


@keras.saving.register_keras_serializable("rnnpipe")
class GRU(Recurrent, keras.layers.GRU):
    """A gated recurrent unit over time that takes the place of `keras.layers.GRU`.

    Arguments, weights (names, shapes, order), masking and results are those of
    `keras.layers.GRU`; `GRUCell` has the equations. Beyond Keras, masked inputs are never read,
    and mistakes are told by layer and shape.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `(batch, units)`; zeros where not given.
        mask: `(batch, time)`, True at the steps that count; the state passes over the others.
        training: whether dropout is on.

    Returns:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences=True`; with
        `return_state=True` a tuple of it and the last state.

    Raises:
        UserError: if an option is wrong, or sequences, states or mask have the wrong rank, size,
            count or dtype.

    Example:
        >>> import numpy
        >>> tuple(GRU(4, return_sequences=True)(numpy.zeros((2, 7, 3))).shape)
        (2, 7, 4)
    """

    recurrence = "gru"

    def gates(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> dict[str, Any]:
        """What the gates of the built layer do at each step, for inspection.

        Args:
            sequences: as for a call.
            initial_state: as for a call.
            mask: as for a call; gates are zero at masked steps.

        Returns:
            `update`, `reset` and `candidate`, each `(batch, time, units)`, in the order of the
            sequences, whatever the direction in which the layer reads.

        Raises:
            UserError: if the layer has `reset_after=False`.
        """
        if not self.reset_after:
            raise fault(self, "reset_after=True", "reset_after=False", "build it so to see gates")
        return record_gates(self, ("update", "reset", "candidate"), sequences, initial_state, mask)

    def _suits_kernel(self) -> bool:
        sigmoid = self.recurrent_activation is keras.activations.sigmoid
        return sigmoid and self.reset_after and super()._suits_kernel()

    def _weights(self) -> tuple[Any, ...]:
        cell = self.cell
        bias = ops.zeros((2, 3 * cell.units), self.dtype) if cell.bias is None else cell.bias
        return cell.kernel, bias[0], cell.recurrent_kernel, bias[1]
