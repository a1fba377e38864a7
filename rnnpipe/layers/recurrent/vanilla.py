"""The plain recurrent network (Elman 1990)."""

import keras

from rnnpipe.layers.recurrent.base import Recurrent
from rnnpipe.layers.recurrent.options import CheckedOptions


@keras.saving.register_keras_serializable("rnnpipe")
class VanillaRNNCell(CheckedOptions, keras.layers.SimpleRNNCell):
    """One step of a plain recurrent network: `keras.layers.SimpleRNNCell`, under this name.

        h' = tanh(x W + h U + b)

    `call(inputs, states, training=False)` takes `(batch, features)` and `[h]`, `(batch, units)`,
    and returns `h', [h']`. The weights are `kernel` (features, units), `recurrent_kernel` (units,
    units) and `bias` (units).

    Args:
        units: the size of h; all other arguments are those of `keras.layers.SimpleRNNCell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(VanillaRNNCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Elman, Finding Structure in Time, 1990.
    """


@keras.saving.register_keras_serializable("rnnpipe")
class VanillaRNN(Recurrent, keras.layers.SimpleRNN):
    """A plain recurrent network over time that takes the place of `keras.layers.SimpleRNN`.

    Arguments, weights (names, shapes, order), masking and results are those of
    `keras.layers.SimpleRNN`; `VanillaRNNCell` has the equation. Beyond Keras, masked inputs are
    never read, and errors name layer and shapes.

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
        >>> tuple(VanillaRNN(4, return_sequences=True)(numpy.zeros((2, 7, 3))).shape)
        (2, 7, 4)
    """

    recurrence, keras_cell = "vanilla", keras.layers.SimpleRNNCell
