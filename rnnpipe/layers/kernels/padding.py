"""What the compiled loops share: merged axes, and lengths that XLA has likely seen."""

from typing import Any

import tensorflow as tf

from rnnpipe.errors import UserError

# The lengths that are padded to, 8, 12, 16, 24, 32, ...: two for each doubling.
SIZES = sorted([2**n for n in range(3, 24)] + [3 * 2**n for n in range(2, 23)])


def merge(values: Any) -> Any:
    """`(time, batch, size)` to `(time * batch, size)`."""
    return tf.reshape(values, (-1, values.shape[2] or tf.shape(values)[2]))


def padding_for(length: Any) -> Any:
    """How many steps to add, for a length that XLA has likely seen."""
    sizes = tf.constant(SIZES)
    return sizes[tf.searchsorted(sizes, length[None])[0]] - length


def pad(values: Any, steps: Any, axis: int = 0) -> Any:
    """So many steps more along an axis, zeros or False; none if `steps` is None."""
    if steps is None:
        return values
    return tf.pad(values, [[0, steps if each == axis else 0] for each in range(len(values.shape))])


def refuse_second_order(*_: Any) -> None:
    """Stands for the gradient of a gradient."""
    raise UserError(
        "rnnpipe.layers",
        "gradients of the first order",
        "gradients of gradients, through a compiled loop",
        "call the layer with training=False, or build it with unroll=True",
    )
