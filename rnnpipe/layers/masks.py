"""The mask that a tensor carries."""

import keras

from rnnpipe.types import Nested, Tensor


class MaskReader(keras.layers.Layer):
    """Returns the mask that its input carries, or an empty list: Keras passes it to layers only."""

    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def call(self, memory: Nested[Tensor], mask: Nested[Tensor] = None) -> Nested[Tensor]:
        """Returns the mask."""
        del memory
        return [] if mask is None else mask


def carried_mask(memory: Nested[Tensor]) -> Nested[Tensor]:
    """The mask that the output of an encoder carries, or None."""
    mask = MaskReader()(memory)
    return None if isinstance(mask, list) and not mask else mask
