"""Shapes of what a decoder reads and writes: flat, padded, and as known outside of its loop."""

from collections.abc import Sequence

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.additive_attention import Memory
from rnnpipe.layers.kernels.tensorflow.decoder_loop import StepOutputs
from rnnpipe.layers.kernels.tensorflow.padding import pad, padding_for, restore_shape
from rnnpipe.layers.kernels.tensorflow.recurrences import Tensors
from rnnpipe.nested import is_empty
from rnnpipe.types import Tensor


def paddings_for(
    z: Tensor, memory: Memory, varies: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None]:
    """How many steps and positions to add, None where their number does not vary."""
    sizes = (tf.shape(z)[0], tf.shape(memory.keys)[1])
    steps, positions = (
        padding_for(size) if changes else None for size, changes in zip(sizes, varies, strict=True)
    )
    return steps, positions


def pad_memory(memory: Memory, more: Tensor | None) -> Memory:
    """Adds masked positions; none if `more` is None."""
    keys, values = (pad(part, more, axis=1) for part in (memory.keys, memory.values))
    return Memory(keys, values, pad(memory.mask, more, axis=2))


def restore_shapes(
    outputs: StepOutputs, z: Tensor, states: Tensors, memory: Memory
) -> tuple[Tensor, ...]:
    """The outputs, `(batch, time, ...)`, with all sizes that are known outside of the loop."""
    for part in outputs:
        if not is_empty(part):
            for batch in (z.shape[1], states[0].shape[0], memory.keys.shape[0]):
                restore_shape(part, (batch, z.shape[0], *part.shape[2:]))
    restore_shape(outputs.alignments, (*outputs.alignments.shape[:3], memory.keys.shape[1]))
    return tuple(outputs)


def pack_outputs(flat: Sequence[Tensor]) -> StepOutputs:
    """The outputs, with an empty tuple for readouts that there are not."""
    return StepOutputs(*flat, *[()] * (len(StepOutputs._fields) - len(flat)))


def flatten_memory(keys: Tensor, values: Tensor, mask: Tensor) -> Memory:
    """The memory with its positions flat and zeros at masked positions."""
    batch, positions = tf.shape(keys)[0], tf.shape(keys)[1]
    static = (values.shape[0], keys.shape[1], values.shape[-1])
    values = tf.ensure_shape(tf.reshape(values, (batch, positions, static[-1])), static)
    if mask is None:
        return Memory(keys, values, tf.ones((batch, 1, positions), tf.bool))
    mask = tf.cast(tf.reshape(mask, (batch, positions)), tf.bool)
    # A NaN in the padding would reach context and gradients as 0 * NaN.
    values = tf.where(mask[:, :, None], values, tf.zeros_like(values))
    return Memory(keys, values, mask[:, None])
