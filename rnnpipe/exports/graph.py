"""A function of a network as a TensorFlow graph: what every format is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Graph:
    """A function from named tensors to named tensors.

    Args:
        function: from tensors by name to outputs by name; it is traced anew for each export.
        inputs: the shape and dtype of each input by name; the rows of a batch are on the first
            axis, and None stands for what may differ from call to call.
    """

    function: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    inputs: Mapping[str, tf.TensorSpec]

    def trace(self) -> Any:
        """The graph as a `tf.function` of positional tensors, in the order of `inputs`."""
        import tensorflow as tf

        names = list(self.inputs)

        def call(*tensors: tf.Tensor) -> Mapping[str, tf.Tensor]:
            return dict(self.function(dict(zip(names, tensors, strict=True))))

        return tf.function(call, input_signature=self.signature, autograph=False)

    @property
    def signature(self) -> list[tf.TensorSpec]:
        """The inputs in their order, each with its name."""
        import tensorflow as tf

        return [tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in self.inputs.items()]
