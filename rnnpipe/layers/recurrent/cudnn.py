"""When a layer can run on cuDNN, and sequences packed for it."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.kernels import device_type, first_obstacle
from rnnpipe.layers.recurrent.obstacles import equation_obstacle
from rnnpipe.types import Tensor


def wants_cudnn(layer: Any) -> bool:
    """Whether a layer is meant to run on cuDNN: by `use_cudnn=True`, or by default on a GPU.

    Args:
        layer: an LSTM, a GRU, or a layer without `use_cudnn`, which never runs on cuDNN.
    """
    use_cudnn = getattr(layer, "use_cudnn", False)
    return use_cudnn is True or (use_cudnn == "auto" and device_type() == "gpu")


def cudnn_obstacle(layer: Any, mask: Tensor | None) -> str | None:
    """Why a layer cannot run on cuDNN, or None if it can.

    Args:
        layer: an LSTM or a GRU.
        mask: the mask of the call, or None.
    """
    if device_type() != "gpu":
        return "there is no GPU"
    return equation_obstacle(layer) or first_obstacle(
        {
            "it has no bias": not layer.cell.use_bias,
            "Keras hands no masks to cuDNN on this backend": (
                mask is not None and keras.backend.backend() != "tensorflow"
            ),
        }
    )


class Packing:
    """Moves unmasked steps to the front for cuDNN, and its outputs back.

    cuDNN supports a length of at least one for each sequence, but neither holes nor padding on the
    left. Masked steps leave the state unchanged, so removing them changes nothing for the others.

    Args:
        mask: boolean `(batch, time)`.
        backwards: whether the layer reads from the last step to the first.

    Example:
        >>> import numpy
        >>> packing = Packing(numpy.array([[False, True, False, True]]), backwards=False)
        >>> packing.pack(numpy.array([[[5.0], [6.0], [7.0], [8.0]]]))[0, :2, 0].numpy().tolist()
        [6.0, 8.0]
        >>> packing.mask.numpy().tolist()
        [[True, True, False, False]]
    """

    def __init__(self, mask: Tensor, *, backwards: bool) -> None:
        steps, length = ops.cast(mask, "int32"), ops.shape(mask)[1]
        places = ops.arange(length, dtype="int32")[None]
        # Distinct keys, since not every backend sorts stably: unmasked steps first, each in order.
        self.order = ops.argsort(places + (1 - steps) * length, axis=1)
        counts = ops.maximum(ops.sum(steps, axis=1, keepdims=True), 1)
        self.mask = places < counts
        if backwards:
            # Outputs are in the order of reading and at the end: (0, 0, third, second, first).
            seen = ops.cumsum(ops.flip(steps, axis=1), axis=1) + length - counts
        else:
            seen = ops.cumsum(steps, axis=1)
        self.latest = ops.maximum(seen - 1, 0)

    def pack(self, sequences: Tensor) -> Tensor:
        """`(batch, time, features)` with the unmasked steps in front."""
        return ops.take_along_axis(sequences, self.order[:, :, None], axis=1)

    def unpack(self, outputs: Tensor) -> Tensor:
        """At each step, `(batch, time, units)`, the output of the latest unmasked step."""
        return ops.take_along_axis(outputs, self.latest[:, :, None], axis=1)
