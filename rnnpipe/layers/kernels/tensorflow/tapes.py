"""What gradient tapes see of a kernel."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import tensorflow as tf

from rnnpipe.errors import UserError


def unrecorded(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A function of tensors that no tape records, for the inside of a custom gradient.

    In eager execution tapes see the inside of a custom gradient too, and where there are several,
    or one is persistent, they ask for gradients that compiled loops do not have. The recomputation
    that gives this function its name in TensorFlow never takes place: the custom gradient around it
    replaces it.

    Args:
        function: the function.
        **options: arguments that are no tensors.
    """
    return tf.recompute_grad(functools.partial(function, **options))


def reject_second_order(*_: Any) -> NoReturn:
    """Raises an error, as the gradient of a gradient."""
    raise UserError(
        "rnnpipe.layers",
        "gradients of the first order",
        "gradients of gradients, through a compiled loop",
        "call the layer with training=False, or build it with unroll=True",
    )
