"""One level of a stack of recurrent layers, which reads in one direction or in both."""

from typing import Any

import keras
from keras import tree

from rnnpipe.types import Shape


@keras.saving.register_keras_serializable("rnnpipe")
class BidirectionalLevel(keras.layers.Bidirectional):
    """A level in two directions. The stack hands on the mask itself.

    `keras.layers.Bidirectional.compute_mask` fails for stateful layers that return their states.
    """

    def compute_mask(self, *_: Any) -> None:
        """The outputs carry no mask."""
        return


def state_sizes(layer: Any) -> list[int]:
    """The sizes of a recurrent layer's states, those of both directions if there are two."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [*state_sizes(layer.forward_layer), *state_sizes(layer.backward_layer)]
    return tree.flatten(layer.state_size)


def output_shape(layer: Any, shape: Shape) -> tuple[Any, ...]:
    """The shape of a recurrent layer's output, without its states."""
    output = layer.compute_output_shape(shape)
    return tuple(output[0] if layer.return_state else output)
