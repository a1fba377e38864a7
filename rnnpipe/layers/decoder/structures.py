"""What a decoder holds while it decodes: what never changes, and what each step changes."""

from typing import Any, NamedTuple

import keras
from keras import ops, tree


class Source(NamedTuple):
    """What is read, the same at every step; where there is no mask, it is an empty tuple."""

    memory: Any  # (batch, source_time, features), a grid, or several of them
    mask: Any  # (batch, source_time) or (batch, height, width)
    keys: Any  # what the mechanism projects the memory to


class State(NamedTuple):
    """What a step hands to the next; what the options do not use is an empty tuple."""

    cells: Any  # the states of each cell, (batch, units) each
    fed: Any  # (batch, size): what the cells read beside the next word
    attention: Any  # what the mechanism knows of its past


class Outputs(NamedTuple):
    """What a step found."""

    output: Any  # (batch, output_size), of the last cell
    context: Any  # (batch, context_size)
    alignments: Any  # (batch, glimpses, ...positions)
    readout: Any  # (batch, readout_size) where it is fed to the next step, else an empty tuple


def nothing(tensors: Any) -> bool:
    """Whether this stands for no tensor at all."""
    return isinstance(tensors, tuple) and not tensors


def without_none(tensors: Any) -> Any:
    """Nested tensors with an empty tuple for each None, since loops carry no None."""
    return tree.map_structure(lambda tensor: () if tensor is None else tensor, tensors)


def with_none(tensors: Any) -> Any:
    """Nested tensors with None for each empty tuple."""
    if nothing(tensors):
        return None
    if isinstance(tensors, list | tuple):
        return type(tensors)(with_none(tensor) for tensor in tensors)
    return tensors


def repeat(structure: Any, copies: int) -> Any:
    """Each row `copies` times in a row: `(batch, ...)` to `(batch * copies, ...)`."""
    return tree.map_structure(lambda tensor: ops.repeat(tensor, copies, axis=0), structure)


class MaskReader(keras.layers.Layer):
    """Returns the mask of what it is called with, or an empty list: Keras tells it to layers."""

    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def call(self, memory: Any, mask: Any = None) -> Any:
        """The mask."""
        del memory
        return [] if mask is None else mask


def carried_mask(memory: Any) -> Any:
    """The mask that the output of an encoder carries, or None."""
    mask = MaskReader()(memory)
    return None if isinstance(mask, list) and not mask else mask
