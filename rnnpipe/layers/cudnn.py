"""When Keras can run a layer by cuDNN, and sequences as cuDNN can read them."""

import warnings
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.kernels import on_gpu


def takes_cudnn(layer: Any, mask: Any) -> bool:
    """Whether Keras will run a layer by cuDNN; where it was to be expected and cannot, it is told.

    Args:
        layer: an LSTM, a GRU, or a layer that has no `use_cudnn` and so never takes cuDNN.
        mask: the mask of this call, or None.

    Warns:
        UserWarning: if there is a GPU, or `use_cudnn=True`, and an option, the mask or the machine
            forbids cuDNN.
    """
    wanted = getattr(layer, "use_cudnn", False)
    if wanted is False or (wanted == "auto" and not on_gpu()):
        return False
    obstacle = _obstacle(layer, mask)
    if obstacle is None:
        return True
    warnings.warn(
        f"{type(layer).__name__} {layer.name!r} runs without cuDNN, which is slower on a GPU: "
        f"{obstacle}. With use_cudnn=False this is not told.",
        stacklevel=2,
    )
    # Keras would end in an error where it was True.
    layer.use_cudnn = "auto"
    return False


def _obstacle(layer: Any, mask: Any) -> str | None:
    cell = layer.cell
    obstacles = {
        "there is no GPU": not on_gpu(),
        "its activation is not tanh": cell.activation is not keras.activations.tanh,
        "its recurrent activation is not sigmoid": (
            cell.recurrent_activation is not keras.activations.sigmoid
        ),
        "it has no bias": not cell.use_bias,
        "it has recurrent dropout": bool(cell.recurrent_dropout),
        "it is unrolled": layer.unroll,
        "it resets before the product": not getattr(layer, "reset_after", True),
        "Keras hands no masks to cuDNN on this backend": (
            mask is not None and keras.backend.backend() != "tensorflow"
        ),
    }
    return next((text for text, stands in obstacles.items() if stands), None)


class Packing:
    """The steps that count moved to the front, as cuDNN wants them, and outputs moved back.

    cuDNN knows a length of at least one for each sequence, and neither holes nor padding on the
    left. A masked step passes the state on, so leaving it out changes nothing for the others.

    Args:
        mask: boolean `(batch, time)`, True at the steps that count.
        backwards: whether the layer reads from the last step to the first.

    Example:
        >>> import numpy
        >>> packing = Packing(numpy.array([[False, True, False, True]]), backwards=False)
        >>> packing.pack(numpy.array([[[5.0], [6.0], [7.0], [8.0]]]))[0, :2, 0].numpy().tolist()
        [6.0, 8.0]
        >>> packing.mask.numpy().tolist()
        [[True, True, False, False]]
    """

    def __init__(self, mask: Any, *, backwards: bool) -> None:
        steps, length = ops.cast(mask, "int32"), ops.shape(mask)[1]
        # Distinct keys, since not every backend sorts stably: what counts first, each in order.
        self.order = ops.argsort(ops.arange(length)[None] + (1 - steps) * length, axis=1)
        counts = ops.maximum(ops.sum(steps, axis=1, keepdims=True), 1)
        self.mask = ops.arange(length)[None] < counts
        if backwards:
            # Outputs come in the order of reading and at the end: (0, 0, third, second, first).
            seen = ops.cumsum(ops.flip(steps, axis=1), axis=1) + length - counts
        else:
            seen = ops.cumsum(steps, axis=1)
        self.latest = ops.maximum(seen - 1, 0)

    def pack(self, sequences: Any) -> Any:
        """`(batch, time, features)` with the steps that count in front."""
        return ops.take_along_axis(sequences, self.order[:, :, None], axis=1)

    def unpack(self, outputs: Any) -> Any:
        """At each step, `(batch, time, units)`, the output of the latest step that counted."""
        return ops.take_along_axis(outputs, self.latest[:, :, None], axis=1)
