"""Base of the cells that Keras does not have."""

from typing import Any

import keras

from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.types import Shape


class Cell(keras.layers.Layer):
    """Base of the cells: one step of a recurrent network, for `keras.layers.RNN(cell)`.

    A cell creates its weights in `build_weights` and has its equation in `call(inputs, states)`,
    which takes `(batch, features)` and a list of states, and returns `(output, new states)`.

    Args:
        units: the size of the state.
        kernel_initializer: of the weights that read the input.
        recurrent_initializer: of the weights that read the state.
        bias_initializer: of the bias.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: if `units` is not positive.
    """

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_count(units):
            raise layer_error(self, "at least 1 unit", str(units), "write e.g. units=256")
        self.units = self.output_size = units
        self.state_size: list[int] = [units]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for `(batch, features)`."""
        self.build_weights(input_shape[-1])

    def build_weights(self, features: int) -> None:
        """Creates the weights for inputs with this number of features."""
        raise NotImplementedError

    def build_usual(self, features: int, gates: int, output: int | None = None) -> None:
        """Creates `kernel`, `recurrent_kernel` and `bias` for all gates side by side."""
        width = gates * self.units
        self.kernel = self.add_weight((features, width), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (output or self.units, width), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight((width,), self.bias_initializer, name="bias")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the cell, for serialisation."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
