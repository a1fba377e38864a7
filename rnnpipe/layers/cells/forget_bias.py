"""A chosen bias of the forget gate (Jozefowicz et al. 2015)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
class ForgetBias(keras.initializers.Initializer):
    """Starts an LSTM's bias at zero, and that of its forget gate at `value`.

    At a large value an untrained LSTM remembers: its forget gate starts at σ(value). It fits the
    bias of every LSTM here and in Keras, where the gates are in the order i, f, g, o.

    Args:
        value: where the forget gate's bias starts; 1 or 2 in the paper.

    Example:
        >>> from rnnpipe.layers import LSTM
        >>> layer = LSTM(2, unit_forget_bias=False, bias_initializer=ForgetBias(2.0))
        >>> layer.build((None, None, 3))
        >>> layer.cell.bias.numpy().tolist()
        [0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]

    Source: Jozefowicz, Zaremba and Sutskever, An Empirical Exploration of Recurrent Network
    Architectures, 2015, section 5.
    """

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The bias, `(4 units,)`."""
        units = shape[0] // 4
        starts = (0.0, self.value, 0.0, 0.0)
        return ops.concatenate([ops.full((units,), start, dtype=dtype) for start in starts])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the initialiser, for serialisation."""
        return {"value": self.value}
