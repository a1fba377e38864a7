"""The readout of a decoder: what the logits are computed from."""

from typing import Any, Literal, get_args

import keras
from keras import ops

from rnnpipe.types import Shape, Tensor

ReadoutKind = Literal["tanh", "maxout", "deep", "plain", "state"]

READOUTS: tuple[str, ...] = get_args(ReadoutKind)
READS_WORD = ("maxout", "deep")


class Readout(keras.layers.Layer):
    """Joins a step's output s, the context c and, in a deep output, the word e.

        tanh:   r = tanh([s; c] W + b)        deep:  r = tanh([s; c; e] W + b)
        maxout: r = max of each pair in [s; c; e] W + b        plain: r = [s; c]        state: r = s

    Args:
        kind: one of `READOUTS`.
        units: the size of r; it may also be set before the layer is built.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        output: `(..., output_size)`.
        context: `(..., context_size)`.
        word: `(..., embedding_size)`.

    Returns:
        `(..., units)`.
    """

    def __init__(self, kind: str, units: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.units: Any = units
        self.dense: Any = None

    def build(self, output_shape: Shape, context_shape: Shape, word_shape: Shape) -> None:
        """Creates the weights for the sizes of output, context and word."""
        width: int = output_shape[-1] + context_shape[-1]
        if self.kind in READS_WORD:
            width += word_shape[-1]
        if self.kind in ("plain", "state"):
            self.units = width if self.kind == "plain" else output_shape[-1]
            return
        units, activation = (
            (2 * self.units, None) if self.kind == "maxout" else (self.units, "tanh")
        )
        self.dense = keras.layers.Dense(
            units, activation=activation, dtype=self.dtype_policy, name="dense"
        )
        self.dense.build((None, width))

    def call(self, output: Tensor, context: Tensor, word: Tensor) -> Tensor:
        """The readout; see the class for the equations."""
        if self.kind == "state":
            return output
        inputs = [output, context, word] if self.kind in READS_WORD else [output, context]
        joined = ops.concatenate(inputs, axis=-1)
        if self.dense is None:
            return joined
        joined = self.dense(joined)
        if self.kind != "maxout":
            return joined
        # Not by a reshape into pairs, which exporters to ONNX get wrong where lengths vary.
        return ops.maximum(joined[..., 0::2], joined[..., 1::2])
