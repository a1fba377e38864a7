"""What gradient tapes and forward accumulators see of a kernel."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.types import Nested, Tensor


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


def is_forward_mode(inputs: Nested[Tensor]) -> bool:
    """Whether a `tf.autodiff.ForwardAccumulator` watches one of the inputs.

    It differentiates operations as they run. Of a custom gradient it takes the gradient at once,
    which a tape leaves for later, and then the gradient of that, which compiled loops do not have.
    """
    asked = []

    @tf.custom_gradient
    def probe(*tensors: Tensor) -> Any:
        def gradient(*d_tensors: Tensor) -> tuple[Tensor, ...]:
            asked.append(True)
            return d_tensors

        return tuple(map(tf.identity, tensors)), gradient

    probe(*tf.nest.flatten(inputs))
    return bool(asked)


def reject_second_order(*_: Any) -> NoReturn:
    """Raises an error, as the gradient of a gradient.

    Such a one is also what a `tf.autodiff.ForwardAccumulator` takes of a whole `tf.function`.
    """
    raise UserError(
        "rnnpipe.layers",
        "gradients of the first order",
        "gradients of gradients, or forward-mode ones of a graph, through a compiled loop",
        "call the layer with training=False, or build it with unroll=True",
    )
