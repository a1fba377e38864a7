"""LSTM with peepholes (Gers et al. 2002)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.cells.forget_bias import ForgetBias
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class PeepholeLSTMCell(Cell):
    """One step of an LSTM whose gates see the cell.

        i = σ(x Wᵢ + h Uᵢ + pᵢ ⊙ c + bᵢ)       f = σ(x W_f + h U_f + p_f ⊙ c + b_f)
        c' = f ⊙ c + i ⊙ tanh(x W_g + h U_g + b_g)
        o = σ(x Wₒ + h Uₒ + pₒ ⊙ c' + bₒ)      h' = o ⊙ tanh(c')

    States `[h, c]`, each `(batch, units)`. Weights: `kernel` (features, 4 units),
    `recurrent_kernel` (units, 4 units), `bias` (4 units), gates in the order i, f, g, o, and
    `peepholes` (3, units) in the order i, f, o.

    Args:
        units: the size of h and c.
        bias_initializer: of the bias; by default the forget gate starts at 1.
        peephole_initializer: of the peepholes.
        **kwargs: those of `Cell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(PeepholeLSTMCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Gers, Schraudolph and Schmidhuber, Learning Precise Timing with LSTM Recurrent Networks,
    2002, section 2.
    """

    def __init__(
        self,
        units: int,
        *,
        bias_initializer: Any = None,
        peephole_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, bias_initializer=bias_initializer or ForgetBias(), **kwargs)
        self.state_size = [units, units]
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build_weights(self, features: int) -> None:
        """Creates the usual weights of an LSTM and the peepholes."""
        self.build_usual(features, gates=4)
        self.peepholes = self.add_weight(
            (3, self.units), self.peephole_initializer, name="peepholes"
        )

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        i = ops.sigmoid(i + self.peepholes[0] * c)
        f = ops.sigmoid(f + self.peepholes[1] * c)
        c = f * c + i * ops.tanh(g)
        h = ops.sigmoid(o + self.peepholes[2] * c) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        initializer = keras.initializers.serialize(self.peephole_initializer)
        return {**super().get_config(), "peephole_initializer": initializer}
