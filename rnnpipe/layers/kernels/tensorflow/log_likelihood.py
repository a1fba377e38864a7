"""Log-likelihoods of tokens, for TensorFlow on CPUs, compiled by XLA.

The logits of a large vocabulary are the largest tensor of most models, and reading it takes most of
the time. So one function computes all that a loss needs of it and another the gradient, in place of
one pass for each operation.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.padding import restore_shape
from rnnpipe.layers.kernels.tensorflow.tapes import is_forward_mode, unrecorded
from rnnpipe.types import Tensor

_compiled = functools.partial(tf.function, jit_compile=True, autograph=False, reduce_retracing=True)


def log_likelihood(targets: Tensor, logits: Tensor, *, for_metric: bool) -> tuple[Tensor, Tensor]:
    """The logarithm of each target's probability, and its mean over the vocabulary.

    Args:
        targets: `(count,)` ids.
        logits: `(count, vocab)`.
        for_metric: whether this is for a metric, beside a loss of the same logits.
    """
    targets = tf.cast(targets, tf.int32)
    if is_forward_mode(logits):
        both = _reduce_once(targets, logits)[:2]
    elif for_metric:
        both = _reduce_for_metric(targets, tf.stop_gradient(logits))[:2]
    else:
        both = (_differentiable if tf.executing_eagerly() else _in_graph)(targets, logits)
    for values in both:
        restore_shape(values, targets.shape)
        restore_shape(values, logits.shape[:1])
    return both


def _differentiable(targets: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Log p of the targets and its mean, differentiable by the logits to any order."""

    @tf.custom_gradient
    def compiled(logits: Tensor) -> Any:
        # Else a tape of higher order would follow the total, which has no gradient of its own.
        of_target, mean, total = map(tf.stop_gradient, unrecorded(_reduce)(targets, logits))

        @tf.custom_gradient
        def gradient_of(targets: Tensor, logits: Tensor, d_target: Tensor, d_mean: Tensor) -> Any:
            def second_order(d_gradient: Tensor) -> Any:
                # By hand: forward mode asks for it, in graphs, where no tape records.
                p = tf.nn.softmax(logits)
                expected = tf.reduce_sum(p * d_gradient, axis=1)
                d_logits = -(d_target + d_mean)[:, None] * p * (d_gradient - expected[:, None])
                of_target = tf.gather(d_gradient, targets, batch_dims=1)
                of_mean = tf.reduce_mean(d_gradient, axis=1)
                return None, d_logits, of_target - expected, of_mean - expected

            return _gradient(targets, logits, total, d_target, d_mean), second_order

        def gradient(d_target: Tensor, d_mean: Tensor) -> Any:
            # Of the graph that this runs in, which a second gradient can reach.
            inputs = map(tf.identity, (targets, logits))
            return gradient_of(*inputs, d_target, d_mean)

        return (of_target, mean), gradient

    return compiled(logits)


# A function of its own: the tapes and branches of the graph around it would else record what the
# custom gradient hides.
_in_graph = tf.function(_differentiable, autograph=False, reduce_retracing=True)


def _reduce_once(targets: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log p of the targets and its mean, and log Σ exp of the logits, each `(count,)`."""
    highest = tf.reduce_max(logits, axis=1)
    total = tf.math.log(tf.reduce_sum(tf.exp(logits - highest[:, None]), axis=1))
    of_target = tf.gather(logits, targets, batch_dims=1) - highest - total
    return of_target, tf.reduce_mean(logits, axis=1) - highest - total, total + highest


# Two: rare crashes in what XLA of TensorFlow 2.21 sets up for reductions on CPUs point to two
# threads in one compiled function, as the loss and the metric of a step would be.
_reduce, _reduce_for_metric = _compiled(_reduce_once), _compiled(_reduce_once)


def _gradient_once(
    targets: Tensor, logits: Tensor, total: Tensor, d_target: Tensor, d_mean: Tensor
) -> Tensor:
    """The gradient of the logits."""
    vocab = tf.shape(logits)[1]
    is_target = tf.range(vocab) == targets[:, None]
    even = d_mean / tf.cast(vocab, d_mean.dtype)
    even = even[:, None] + tf.where(is_target, d_target[:, None], 0)
    return even - tf.exp(logits - total[:, None]) * (d_target + d_mean)[:, None]


_gradient = _compiled(_gradient_once)
