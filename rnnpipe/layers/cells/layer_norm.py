"""Layer-normalised recurrent cells (Ba et al. 2016)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.cells.forget_bias import ForgetBias
from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.types import Nested, Tensor

_LEAST_EPSILON = 1e-12  # units that are all equal have a variance of 0


class _LayerNormCell(Cell):
    """Base of the three cells: it creates their normalisations."""

    def __init__(self, units: int, *, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not is_number(epsilon) or epsilon < _LEAST_EPSILON:
            expected, fix = f"an epsilon of at least {_LEAST_EPSILON:g}", "write e.g. epsilon=1e-5"
            raise layer_error(self, expected, str(epsilon), fix)
        self.epsilon = epsilon

    def norm(self, name: str, width: int) -> Tensor:
        """A built normalisation over the last axis, with gain and shift."""
        layer = keras.layers.LayerNormalization(
            epsilon=self.epsilon, dtype=self.dtype_policy, name=name
        )
        layer.build((None, width))
        return layer

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("rnnpipe")
class LayerNormVanillaRNNCell(_LayerNormCell):
    """One step of a plain recurrent network, normalised.

        h' = tanh(LN(x W + h U))

    State `[h]`, `(batch, units)`. Weights: `kernel` (features, units), `recurrent_kernel` (units,
    units), and gain and shift (units) of the normalisation LN, which stands for a bias.

    Args:
        units: the size of h.
        epsilon: what keeps the normalisation from dividing by zero.
        **kwargs: those of `Cell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(LayerNormVanillaRNNCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016, equation 4.
    """

    def build_weights(self, features: int) -> None:
        """Creates the kernels and the normalisation."""
        shape = (features, self.units)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, self.units), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.norm_sum = self.norm("norm_sum", self.units)

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        total = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        h = ops.tanh(self.norm_sum(total))
        return h, [h]


@keras.saving.register_keras_serializable("rnnpipe")
class LayerNormLSTMCell(_LayerNormCell):
    """One step of an LSTM, normalised.

        i, f, g, o = LN₁(h U) + LN₂(x W) + b
        c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)     h' = σ(o) ⊙ tanh(LN₃(c'))

    States `[h, c]`, each `(batch, units)`. Weights: `kernel` (features, 4 units),
    `recurrent_kernel` (units, 4 units), `bias` (4 units), gates in the order i, f, g, o, and gain
    and shift of LN₁ and LN₂ (4 units) and LN₃ (units).

    Args:
        units: the size of h and c.
        bias_initializer: of the bias; by default the forget gate starts at 1.
        epsilon: what keeps the normalisation from dividing by zero.
        **kwargs: those of `Cell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(LayerNormLSTMCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016, equations 20 to 22.
    """

    def __init__(self, units: int, *, bias_initializer: Any = None, **kwargs: Any) -> None:
        super().__init__(units, bias_initializer=bias_initializer or ForgetBias(), **kwargs)
        self.state_size = [units, units]

    def build_weights(self, features: int) -> None:
        """Creates the usual weights of an LSTM and three normalisations."""
        self.build_usual(features, gates=4)
        self.norm_recurrent = self.norm("norm_recurrent", 4 * self.units)
        self.norm_input = self.norm("norm_input", 4 * self.units)
        self.norm_cell = self.norm("norm_cell", self.units)

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        h, c = states
        recurrent = self.norm_recurrent(ops.matmul(h, self.recurrent_kernel))
        z = recurrent + self.norm_input(ops.matmul(inputs, self.kernel)) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(self.norm_cell(c))
        return h, [h, c]


@keras.saving.register_keras_serializable("rnnpipe")
class LayerNormGRUCell(_LayerNormCell):
    """One step of a GRU, normalised.

        z, r = LN₁(h [U_z U_r]) + LN₂(x [W_z W_r]) + b
        g = tanh(LN₃(x W_g) + σ(r) ⊙ LN₄(h U_g) + b_g)
        h' = σ(z) ⊙ h + (1 − σ(z)) ⊙ g

    z keeps the old state, as in Keras' GRU. State `[h]`, `(batch, units)`. Weights: `kernel`
    (features, 3 units), `recurrent_kernel` (units, 3 units), `bias` (3 units), gates in the order
    z, r, g, and gain and shift of LN₁ and LN₂ (2 units), LN₃ and LN₄ (units).

    Args:
        units: the size of h.
        epsilon: what keeps the normalisation from dividing by zero.
        **kwargs: those of `Cell`.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(LayerNormGRUCell(4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016, equations 25 to 27, where z has the
    other sign.
    """

    def build_weights(self, features: int) -> None:
        """Creates the usual weights of a GRU and four normalisations."""
        self.build_usual(features, gates=3)
        self.norm_recurrent = self.norm("norm_recurrent", 2 * self.units)
        self.norm_input = self.norm("norm_input", 2 * self.units)
        self.norm_candidate_input = self.norm("norm_candidate_input", self.units)
        self.norm_candidate_recurrent = self.norm("norm_candidate_recurrent", self.units)

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        (h,), split = states, 2 * self.units
        outer, inner = ops.matmul(inputs, self.kernel), ops.matmul(h, self.recurrent_kernel)
        gates = self.norm_recurrent(inner[:, :split]) + self.norm_input(outer[:, :split])
        z, r = ops.split(ops.sigmoid(gates + self.bias[:split]), 2, axis=-1)
        recurrent = r * self.norm_candidate_recurrent(inner[:, split:])
        g = self.norm_candidate_input(outer[:, split:]) + recurrent + self.bias[split:]
        h = z * h + (1 - z) * ops.tanh(g)
        return h, [h]
