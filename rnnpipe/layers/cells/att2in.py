"""The LSTM of the captioner Att2in (Rennie et al. 2017)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.cells.cell import Cell
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class Att2InCell(Cell):
    """One step of an LSTM that adds the context of an attention to its cell input, past all gates.

        i = σ(x Wᵢ + h Uᵢ + bᵢ)     f = σ(x W_f + h U_f + b_f)     o = σ(x Wₒ + h Uₒ + bₒ)
        c' = f ⊙ c + i ⊙ max(g, g')     where g = x W_g + a A_g + h U_g + b_g, and g' alike
        h' = o ⊙ tanh(c')

    An input is `[x; a]`, the word embedding and the context. States `[h, c]`, each
    `(batch, units)`. Weights: `kernel` (features of x, 5 units), `recurrent_kernel` (units, 5
    units), `bias` (5 units), gates in the order i, f, o, g, g', and `context_kernel` (context, 2
    units).

    Args:
        units: the size of h and c.
        context: how many of the input's features, the last ones, are a.
        **kwargs: those of `Cell`.

    Raises:
        UserError: if a size is not positive, or the input has no other features than a.

    Example:
        >>> import numpy, keras
        >>> tuple(keras.layers.RNN(Att2InCell(4, context=2))(numpy.zeros((2, 7, 5))).shape)
        (2, 4)

    Source: Rennie et al., Self-critical Sequence Training for Image Captioning, 2017, section 2,
    equations 2 to 4.
    """

    def __init__(self, units: int, context: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not is_count(context):
            raise layer_error(
                self, "a context of at least 1", str(context), "write e.g. context=512"
            )
        self.context = context
        self.state_size = [units, units]

    def build_weights(self, features: int) -> None:
        """Creates the weights that read x, h and a."""
        if features <= self.context:
            expected, got = f"an input of more than {self.context} features", str(features)
            raise layer_error(self, expected, got, "concatenate word and context")
        self.build_usual(features - self.context, gates=5)
        self.context_kernel = self.add_weight(
            (self.context, 2 * self.units),
            draw_anew(self.kernel_initializer),
            name="context_kernel",
        )

    def call(self, inputs: Tensor, states: Nested[Tensor]) -> tuple[Any, list[Tensor]]:
        """One step; see the class for the equation."""
        h, c = states
        x, a = inputs[:, : -self.context], inputs[:, -self.context :]
        z = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, o = ops.split(ops.sigmoid(z[:, : 3 * self.units]), 3, axis=-1)
        pair = z[:, 3 * self.units :] + ops.matmul(a, self.context_kernel)
        c = f * c + i * ops.maximum(*ops.split(pair, 2, axis=-1))
        h = o * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        return {**super().get_config(), "context": self.context}
