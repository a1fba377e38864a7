"""Masks of time steps: those that tensors carry, and those of groups of steps."""

from functools import reduce

import keras
from keras import ops

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


def zero_masked(sequences: Tensor, mask: Tensor) -> Tensor:
    """Sequences `(batch, time, ...)` with zeros at masked steps; a NaN there would spread.

    Args:
        sequences: the sequences.
        mask: `(batch, time)`, or None for no masked steps.
    """
    if mask is None:
        return sequences
    mask = ops.reshape(
        ops.cast(mask, "bool"), (*ops.shape(mask), *[1] * (len(sequences.shape) - 2))
    )
    return ops.where(mask, sequences, ops.zeros_like(sequences))


def split_phases(sequences: Tensor, factor: int) -> list[Tensor]:
    """The first, the second, … of every `factor` steps, each `(batch, ceil(time / factor), ...)`.

    The steps that the last group lacks are zeros.

    Args:
        sequences: `(batch, time, ...)`.
        factor: how many steps are a group.
    """
    padding = [[0, 0] for _ in sequences.shape]
    padding[1][1] = factor - 1
    padded = ops.pad(sequences, padding)
    ends = [phase + 1 - factor or None for phase in range(factor)]
    return [padded[:, phase:end:factor] for phase, end in enumerate(ends)]


def reduce_mask(mask: Tensor, factor: int) -> Tensor:
    """Which groups of `factor` steps have an unmasked one, `(batch, ceil(time / factor))`.

    Args:
        mask: `(batch, time)`, or None.
        factor: how many steps are a group.
    """
    if mask is None:
        return None
    return reduce(ops.maximum, split_phases(ops.cast(mask, "int32"), factor)) > 0


def reduce_lengths(lengths: Tensor, factor: int) -> Tensor:
    """The lengths in groups of `factor` steps, of which the last may be incomplete.

    Args:
        lengths: integers of any shape.
        factor: how many steps are a group.
    """
    return (lengths + factor - 1) // factor


def reduce_size(size: int | None, factor: int) -> int | None:
    """A static number of steps in groups, None where it is not known."""
    return None if size is None else -(-size // factor)
