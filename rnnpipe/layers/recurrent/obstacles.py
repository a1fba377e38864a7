"""Why a recurrent layer has no kernel, in words."""

from typing import Any

import keras

from rnnpipe.layers.kernels import first_obstacle, place_obstacle, precision_obstacle

_SIGMOID = keras.activations.sigmoid


def equation_obstacle(layer: Any) -> str | None:
    """What makes a layer compute something else than kernels and cuDNN do, or None.

    Args:
        layer: an LSTM, a GRU or a vanilla RNN.
    """
    cell = layer.cell
    if layer.has_own_cell:
        return "its cell is not that of Keras"
    return first_obstacle(
        {
            "its activation is not tanh": cell.activation is not keras.activations.tanh,
            "its recurrent activation is not sigmoid": (
                getattr(cell, "recurrent_activation", _SIGMOID) is not _SIGMOID
            ),
            "it has recurrent dropout": bool(cell.recurrent_dropout),
            "it is unrolled": layer.unroll,
            "it resets before the product": not getattr(cell, "reset_after", True),
        }
    )


def recurrent_obstacle(layer: Any) -> str | None:
    """Why no kernel serves a layer here, or None if one does.

    Args:
        layer: an LSTM, a GRU or a vanilla RNN.
    """
    return (
        place_obstacle("recurrent_kernel")
        or equation_obstacle(layer)
        or precision_obstacle(layer)
        or first_obstacle(
            {
                "its cell has another dtype policy": layer.cell.dtype_policy != layer.dtype_policy,
                "its implementation is 1": getattr(layer.cell, "implementation", 2) != 2,
            }
        )
    )
