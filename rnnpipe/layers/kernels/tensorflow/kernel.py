"""What the kernels of recurrences and decoders share: their graphs, and what tapes see of them."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.tapes import unrecorded
from rnnpipe.types import Tensor

_HALVES = (tf.bfloat16, tf.float16)


def widen(values: Any) -> Any:
    """Tensors of half precision as float32, in which loops add up; all others as they are."""

    def cast(value: Tensor) -> Tensor:
        value = tf.convert_to_tensor(value)
        return tf.cast(value, tf.float32) if value.dtype in _HALVES else value

    return tf.nest.map_structure(cast, values)


class Kernel:
    """A loop over time: two compiled loops in training, and one in inference, compiled or plain.

    A subclass has `_infer`, `_train`, and its `_forward` and `_backward` with an option `varies`:
    whether a length may differ between calls. In eager execution they run as the graphs `infer`,
    `forward` and `backward`.
    """

    _infer: Callable[..., Any]
    _train: Callable[..., Any]
    _forward: Callable[..., Any]
    _backward: Callable[..., Any]

    def __init__(self) -> None:
        graph = functools.partial(tf.function, autograph=False, reduce_retracing=True)
        self.infer = graph(self._infer)
        # In a graph, a function of its own: the tapes and branches around it would else record
        # what the custom gradient hides.
        self.train = graph(self._train)
        self.forward = graph(self._forward)
        self.backward = graph(self._backward)

    def loops(self, varies: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The forward and the backward loop for the inside of a custom gradient."""
        if tf.executing_eagerly():
            return unrecorded(self.forward, varies=varies), unrecorded(self.backward, varies=varies)
        forward = functools.partial(self._forward, varies=varies)
        return forward, functools.partial(self._backward, varies=varies)
