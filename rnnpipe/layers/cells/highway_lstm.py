"""Layers of LSTM with highways between their cells (Zhang et al. 2016)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.cells.forget_bias import ForgetBias
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class HighwayLSTMCell(Cell):
    """One step of several LSTM layers whose cells are joined from below by a depth gate.

        for l = 1 … depth, with x₁ = x and xₗ = h'ₗ₋₁:
        i, f, g, o as in an LSTM, from xₗ and hₗ
        d = σ(xₗ D + p ⊙ cₗ + q ⊙ c'ₗ₋₁ + b_d)         for l > 1
        c'ₗ = d ⊙ c'ₗ₋₁ + f ⊙ cₗ + i ⊙ g              h'ₗ = o ⊙ tanh(c'ₗ)

    A cell is carried up unchanged where d = 1 and f = i = 0, so that deep stacks learn; the
    highways of `RecurrentStack` join outputs instead. States `[h₁, c₁, h₂, c₂, …]`, each `(batch,
    units)`; the output is that of the top layer. Weights: `kernel` (features, 4 units) of the
    lowest layer, `upper_kernel` (depth − 1, units, 4 units), `recurrent_kernel` (depth, units,
    4 units) and `bias` (depth, 4 units), gates in the order i, f, g, o; `depth_kernel` (depth − 1,
    units, units), `depth_peepholes` (depth − 1, 2, units), p before q, and `depth_bias` (depth − 1,
    units).

    Args:
        units: the size of every h and c.
        depth: how many layers there are.
        bias_initializer: of each layer's bias; by default the forget gate starts at 1.
        depth_bias_initializer: of the depth gates' bias.
        **kwargs: those of `Cell`; `kernel_initializer` is also that of the depth gates.

    Raises:
        UserError: if `units` or `depth` is not positive.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(HighwayLSTMCell(4, depth=3))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Zhang, Chen, Yu, Yao, Khudanpur and Glass, Highway Long Short-Term Memory RNNs for
    Distant Speech Recognition, 2016, section 3 (i, f and o without peepholes).
    """

    def __init__(
        self,
        units: int,
        depth: int,
        *,
        bias_initializer: Any = None,
        depth_bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, bias_initializer=bias_initializer or ForgetBias(), **kwargs)
        if not is_count(depth):
            raise layer_error(self, "a depth of at least 1", str(depth), "write e.g. depth=3")
        self.depth, self.state_size = depth, [units, units] * depth
        self.depth_bias_initializer = keras.initializers.get(depth_bias_initializer)

    @property
    def output_state(self) -> int:
        """Which state is the output: h of the top layer."""
        return 2 * self.depth - 2

    def build_weights(self, features: int) -> None:
        """Creates the weights of all layers, those of one kind side by side."""
        units, upper = self.units, self.depth - 1
        square, wide, kernel = (units, units), (units, 4 * units), self.kernel_initializer
        self.kernel = self.add_weight((features, 4 * units), kernel, name="kernel")
        self.upper_kernel = self._weights("upper_kernel", upper, wide, kernel)
        self.recurrent_kernel = self._weights(
            "recurrent_kernel", self.depth, wide, self.recurrent_initializer
        )
        self.bias = self._weights("bias", self.depth, (4 * units,), self.bias_initializer)
        self.depth_kernel = self._weights("depth_kernel", upper, square, kernel)
        self.depth_peepholes = self._weights("depth_peepholes", upper, (2, units), kernel)
        self.depth_bias = self._weights("depth_bias", upper, (units,), self.depth_bias_initializer)

    def _weights(self, name: str, count: int, shape: tuple[int, ...], initializer: Any) -> Tensor:
        """A weight for each of `count` layers, each drawn as if it stood alone."""

        def draw(stacked: Any, dtype: Any = None) -> Tensor:
            each = [draw_anew(initializer)(shape, dtype=dtype) for _ in range(count)]
            return ops.stack(each) if each else ops.zeros(stacked, dtype)

        return self.add_weight((count, *shape), draw, name=name)

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        x, below, after = inputs, None, []
        for layer in range(self.depth):
            h, c = states[2 * layer : 2 * layer + 2]
            kernel = self.upper_kernel[layer - 1] if layer else self.kernel
            z = ops.matmul(x, kernel) + ops.matmul(h, self.recurrent_kernel[layer])
            i, f, g, o = ops.split(z + self.bias[layer], 4, axis=-1)
            new = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
            if layer:
                new = new + self._depth_gate(layer - 1, x, c, below) * below
            x, below = ops.sigmoid(o) * ops.tanh(new), new
            after += [x, below]
        return x, after

    def _depth_gate(self, layer: int, x: Any, c: Any, below: Any) -> Tensor:
        """How much of the cell below comes up, `(batch, units)`."""
        p, q = self.depth_peepholes[layer][0], self.depth_peepholes[layer][1]
        z = ops.matmul(x, self.depth_kernel[layer]) + p * c + q * below
        return ops.sigmoid(z + self.depth_bias[layer])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        initializer = keras.initializers.serialize(self.depth_bias_initializer)
        options = {"depth": self.depth, "depth_bias_initializer": initializer}
        return {**super().get_config(), **options}
