"""LSTM with a recurrent projection (Sak et al. 2014)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.cells.forget_bias import ForgetBias
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class ProjectionLSTMCell(Cell):
    """One step of an LSTM with a large memory and a small output.

        i, f, g, o as in an LSTM, from x and r     c' = f ⊙ c + i ⊙ g
        r' = (o ⊙ tanh(c')) P

    States `[r, c]`, `(batch, projection)` and `(batch, units)`; the output is r'. Weights: `kernel`
    (features, 4 units), `recurrent_kernel` (projection, 4 units), `bias` (4 units), gates in the
    order i, f, g, o, and `projection_kernel` (units, projection).

    Args:
        units: the size of c.
        projection: the size of r, which the gates and the layer above read.
        bias_initializer: of the bias; by default the forget gate starts at 1.
        **kwargs: those of `Cell`; `kernel_initializer` is also that of the projection.

    Raises:
        UserError: if `units` or `projection` is not positive.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(ProjectionLSTMCell(8, 4))(numpy.zeros((2, 7, 3))).shape)
        (2, 4)

    Source: Sak, Senior and Beaufays, Long Short-Term Memory Based Recurrent Neural Network
    Architectures for Large Vocabulary Speech Recognition, 2014, section 2.2 (without peepholes).
    """

    def __init__(
        self, units: int, projection: int, *, bias_initializer: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(units, bias_initializer=bias_initializer or ForgetBias(), **kwargs)
        if not is_count(projection):
            raise layer_error(self, "a projection of at least 1", str(projection), "write e.g. 128")
        self.projection = self.output_size = projection
        self.state_size = [projection, units]

    def build_weights(self, features: int) -> None:
        """Creates the usual weights of an LSTM and the projection."""
        self.build_usual(features, gates=4, output=self.projection)
        self.projection_kernel = self.add_weight(
            (self.units, self.projection),
            draw_anew(self.kernel_initializer),
            name="projection_kernel",
        )

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        r, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(r, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        r = ops.matmul(ops.sigmoid(o) * ops.tanh(c), self.projection_kernel)
        return r, [r, c]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        return {**super().get_config(), "projection": self.projection}
