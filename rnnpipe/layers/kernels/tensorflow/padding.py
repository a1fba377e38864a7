"""Axes merged, static shapes restored, and lengths padded to a few sizes.

XLA then compiles for those sizes only.
"""

import tensorflow as tf

from rnnpipe.types import Tensor

# 8, 12, 16, 24, 32, ...: two for each doubling.
SIZES = sorted([2**n for n in range(3, 24)] + [3 * 2**n for n in range(2, 23)])


def merge_first_axes(values: Tensor) -> Tensor:
    """`(rows, columns, size)` to `(rows * columns, size)`."""
    return tf.reshape(values, (-1, values.shape[2] or tf.shape(values)[2]))


def padding_for(length: Tensor) -> Tensor:
    """How many steps to add to the length for the next of the sizes."""
    return padded_length(length) - length


def padded_length(length: Tensor) -> Tensor:
    """The next of the sizes."""
    sizes = tf.constant(SIZES)
    return sizes[tf.searchsorted(sizes, length[None])[0]]


def pad(values: Tensor, steps: Tensor | None, axis: int = 0) -> Tensor:
    """Adds steps of zeros or False at the end of an axis; none if `steps` is None."""
    if steps is None:
        return values
    return tf.pad(values, [[0, steps if i == axis else 0] for i in range(len(values.shape))])


def restore_shape(values: Tensor, shape: tuple[int | None, ...]) -> None:
    """Sets the sizes that are known outside of a loop: it forgets those of batch and time.

    Args:
        values: a tensor of a graph; an eager one knows its sizes.
        shape: a size or None for each axis; None leaves what is known.
    """
    if not tf.executing_eagerly():
        values.set_shape(shape)
