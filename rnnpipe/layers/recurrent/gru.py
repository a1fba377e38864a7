"""Gated recurrent unit (Cho et al. 2014)."""

import keras
from keras import ops

from rnnpipe.layers.errors import layer_error
from rnnpipe.layers.recurrent.base import Recurrent
from rnnpipe.layers.recurrent.gates import record_gates
from rnnpipe.layers.recurrent.options import CheckedOptions
from rnnpipe.types import Nested, Tensor


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
    and errors name layer and shapes.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `(batch, units)`; zeros by default.
        mask: `(batch, time)`, False at steps to skip: they leave the state unchanged. By default
            the mask that the sequences carry, beside an `initial_state` too, where Keras drops it.
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

    recurrence, keras_cell = "gru", keras.layers.GRUCell

    def gates(
        self, sequences: Tensor, initial_state: Nested[Tensor] = None, mask: Tensor = None
    ) -> dict[str, Tensor]:
        """The gates of the built layer at each step, for inspection.

        Args:
            sequences: as for a call.
            initial_state: as for a call.
            mask: as for a call; gates are zero at masked steps.

        Returns:
            `update`, `reset` and `candidate`, each `(batch, time, units)`, in the order of the
            sequences, also with `go_backwards`.

        Raises:
            UserError: if the layer has `reset_after=False`, or the cell equations of its own.
        """
        if not getattr(self.cell, "reset_after", True):
            expected, got = "reset_after=True", "reset_after=False"
            raise layer_error(self, expected, got, "set it to record gates")
        names = ("update", "reset", "candidate")
        return record_gates(self, names, self._step_gates, sequences, initial_state, mask)

    def _step_gates(self, x: Tensor, h: Tensor) -> list[Tensor]:
        cell = self.cell
        outer, inner = ops.matmul(x, cell.kernel), ops.matmul(h, cell.recurrent_kernel)
        if cell.bias is not None:
            outer, inner = outer + cell.bias[0], inner + cell.bias[1]
        z, r, g = ops.split(outer, 3, axis=-1)
        inner_z, inner_r, inner_g = ops.split(inner, 3, axis=-1)
        r = cell.recurrent_activation(r + inner_r)
        return [cell.recurrent_activation(z + inner_z), r, cell.activation(g + r * inner_g)]

    def _kernel_weights(self) -> tuple[Tensor, ...]:
        cell = self.cell
        bias = ops.zeros((2, 3 * cell.units), self.dtype) if cell.bias is None else cell.bias
        return cell.kernel, bias[0], cell.recurrent_kernel, bias[1]
