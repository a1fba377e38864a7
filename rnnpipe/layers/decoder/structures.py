"""What a decoder carries while it decodes: the memory, the state and the outputs of a step."""

from typing import NamedTuple

from keras import tree

from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Tensor


class Memory(NamedTuple):
    """An encoded source as the attention mechanism reads it, the same at every step."""

    values: Nested[Tensor]  # (batch, source_time, features), a grid, or several of them
    mask: Nested[Tensor]  # (batch, source_time) or (batch, height, width); () for no mask
    keys: Nested[Tensor]  # the projection of the values by the mechanism


class DecoderState(NamedTuple):
    """The state that a step passes to the next; an empty tuple where the options need none."""

    cells: Nested[Tensor]  # the states of each cell, (batch, units) each
    input_feed: Tensor  # (batch, size): what the cells read beside the next word
    attention: Nested[Tensor]  # the state of the mechanism


class StepOutputs(NamedTuple):
    """The outputs of a step."""

    output: Tensor  # (batch, output_size), of the last cell
    context: Tensor  # (batch, context_size)
    alignments: Nested[Tensor]  # (batch, glimpses, ...positions)
    readout: Tensor  # (batch, readout_size) where the next step reads it, else an empty tuple


def none_to_empty(tensors: Nested[Tensor]) -> Nested[Tensor]:
    """Nested tensors with an empty tuple for each None, since loops carry no None."""
    return tree.map_structure(lambda tensor: () if tensor is None else tensor, tensors)


def empty_to_none(tensors: Nested[Tensor]) -> Nested[Tensor]:
    """Nested tensors with None for each empty tuple."""
    if is_empty(tensors):
        return None
    if isinstance(tensors, list | tuple):
        return type(tensors)(empty_to_none(tensor) for tensor in tensors)
    return tensors
