"""Recurrent highway network (Zilly et al. 2017)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class RecurrentHighwayCell(Cell):
    """One step of a recurrent network with several highway layers inside the step.

        s₀ = h,  for l = 1 … depth:
        gₗ = tanh([l = 1] x W_g + sₗ₋₁ Uₗ_g + bₗ_g)     tₗ = σ([l = 1] x W_t + sₗ₋₁ Uₗ_t + bₗ_t)
        sₗ = tₗ ⊙ gₗ + (1 − tₗ) ⊙ sₗ₋₁,               h' = s_depth

    State `[h]`, `(batch, units)`. Weights: `kernel` (features, 2 units), `recurrent_kernel` (depth,
    units, 2 units), `bias` (depth, 2 units), g before t.

    Args:
        units: the size of h.
        depth: how many layers there are in a step.
        transform_bias: where the bias of t starts: the lower, the more a new cell carries on.
        **kwargs: those of `Cell`.

    Raises:
        UserError: if `units` or `depth` is not positive.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(RecurrentHighwayCell(4, depth=3))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Zilly, Srivastava, Koutník and Schmidhuber, Recurrent Highway Networks, 2017, equations
    6 to 8, with the carry gate coupled to the transform gate.
    """

    def __init__(
        self, units: int, depth: int, *, transform_bias: float = -2.0, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        if not is_count(depth):
            raise layer_error(self, "a depth of at least 1", str(depth), "write e.g. depth=5")
        self.depth, self.transform_bias = depth, transform_bias

    def build_weights(self, features: int) -> None:
        """Creates the input kernel, and recurrent kernel and bias of each layer."""
        width = 2 * self.units
        self.kernel = self.add_weight((features, width), self.kernel_initializer, name="kernel")

        def recurrent(shape: Any, dtype: Any = None) -> Tensor:
            initializers = [draw_anew(self.recurrent_initializer) for _ in range(self.depth)]
            return ops.stack([draw(shape[1:], dtype=dtype) for draw in initializers])

        def bias(shape: Any, dtype: Any = None) -> Tensor:
            of_t = ops.full((self.depth, self.units), self.transform_bias, dtype=dtype)
            of_g = self.bias_initializer((self.depth, self.units), dtype=dtype)
            return ops.reshape(ops.concatenate([of_g, of_t], axis=-1), shape)

        self.recurrent_kernel = self.add_weight(
            (self.depth, self.units, width), recurrent, name="recurrent_kernel"
        )
        self.bias = self.add_weight((self.depth, width), bias, name="bias")

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        (h,), outer = states, ops.matmul(inputs, self.kernel)
        for layer in range(self.depth):
            z = ops.matmul(h, self.recurrent_kernel[layer]) + self.bias[layer]
            g, t = ops.split(z + outer if layer == 0 else z, 2, axis=-1)
            t = ops.sigmoid(t)
            h = t * ops.tanh(g) + (1 - t) * h
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        options = {"depth": self.depth, "transform_bias": self.transform_bias}
        return {**super().get_config(), **options}
