"""Long short-term memory (Hochreiter and Schmidhuber 1997)."""

import keras
from keras import ops

from rnnpipe.layers.recurrent.base import Recurrent
from rnnpipe.layers.recurrent.gates import record_gates
from rnnpipe.layers.recurrent.options import CheckedOptions
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class LSTMCell(CheckedOptions, keras.layers.LSTMCell):
    """One step of a long short-term memory: `keras.layers.LSTMCell`, under this package's name.

        i = σ(x Wᵢ + h Uᵢ + bᵢ)        f = σ(x W_f + h U_f + b_f)
        g = tanh(x W_g + h U_g + b_g)  o = σ(x Wₒ + h Uₒ + bₒ)
        c' = f ⊙ c + i ⊙ g             h' = o ⊙ tanh(c')

    `call(inputs, states, training=False)` takes `(batch, features)` and `[h, c]`, each
    `(batch, units)`, and returns `h', [h', c']`. The weights are `kernel` (features, 4 units),
    `recurrent_kernel` (units, 4 units) and `bias` (4 units), gates in the order i, f, g, o.

    Args:
        units: the size of h and c; all other arguments are those of `keras.layers.LSTMCell`.

    Example:
        >>> import numpy, keras
        >>> layer = keras.layers.RNN(LSTMCell(4))
        >>> tuple(layer(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; forget gate after Gers,
    Schmidhuber and Cummins, Learning to Forget, 2000.
    """


@keras.saving.register_keras_serializable("rnnpipe")
class LSTM(Recurrent, keras.layers.LSTM):
    """A long short-term memory over time that takes the place of `keras.layers.LSTM`.

    Arguments, weights (names, shapes, order), masking and results are those of
    `keras.layers.LSTM`, so that `ours.set_weights(theirs.get_weights())` gives equal outputs and
    gradients; `LSTMCell` has the equations. Beyond Keras, masked inputs are never read, so that
    even a NaN in the padding changes nothing, and errors name layer and shapes.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `[h, c]`, each `(batch, units)`; zeros by default.
        mask: `(batch, time)`, False at steps to skip: they leave the state unchanged. By default
            the mask that the sequences carry, beside an `initial_state` too, where Keras drops it.
        training: whether dropout is on.

    Returns:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences=True`; with
        `return_state=True` a tuple of it, the last h and the last c.

    Raises:
        UserError: if an option is wrong, or sequences, states or mask have the wrong rank, size,
            count or dtype.

    Example:
        >>> import numpy
        >>> outputs, h, c = LSTM(4, return_sequences=True, return_state=True)(
        ...     numpy.zeros((2, 7, 3))
        ... )
        >>> tuple(outputs.shape), tuple(h.shape), tuple(c.shape)
        ((2, 7, 4), (2, 4), (2, 4))
    """

    recurrence, keras_cell = "lstm", keras.layers.LSTMCell

    def gates(
        self, sequences: Tensor, initial_state: Nested[Tensor] = None, mask: Tensor = None
    ) -> dict[str, Tensor]:
        """The gates of the built layer at each step, for inspection.

        Args:
            sequences: as for a call.
            initial_state: as for a call.
            mask: as for a call; gates are zero at masked steps.

        Returns:
            `input`, `forget`, `candidate` and `output`, each `(batch, time, units)`, in the order
            of the sequences, also with `go_backwards`.

        Raises:
            UserError: if the cell has equations of its own.
        """
        names = ("input", "forget", "candidate", "output")
        return record_gates(self, names, self._step_gates, sequences, initial_state, mask)

    def _step_gates(self, x: Tensor, h: Tensor) -> list[Tensor]:
        cell = self.cell
        z = ops.matmul(x, cell.kernel) + ops.matmul(h, cell.recurrent_kernel)
        z = z if cell.bias is None else z + cell.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        sigmoid = cell.recurrent_activation
        return [sigmoid(i), sigmoid(f), cell.activation(g), sigmoid(o)]
