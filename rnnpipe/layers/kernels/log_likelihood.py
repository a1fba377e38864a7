"""Log-likelihoods of tokens on TensorFlow and CPU, compiled by XLA.

Logits of a large vocabulary are the largest tensor of most models, and reading it is what costs. So
all that a loss needs of it is found in one function, and its gradient is written in another, in
place of one pass for each operation.
"""

import functools
from typing import Any

import tensorflow as tf

_compiled = functools.partial(tf.function, jit_compile=True, autograph=False, reduce_retracing=True)


def log_likelihood(targets: Any, logits: Any, *, watch: bool) -> tuple[Any, Any]:
    """The logarithm of each target's probability, and its mean over the vocabulary.

    Args:
        targets: `(count,)` ids.
        logits: `(count, vocab)`.
        watch: whether this is for a metric, beside a loss of the same logits.
    """
    targets = tf.cast(targets, tf.int32)
    if watch:
        return _reduce_to_watch(targets, tf.stop_gradient(logits))[:2]

    @tf.custom_gradient
    def compiled(logits: Any) -> Any:
        of_target, mean, total = _reduce(targets, logits)

        def gradient(d_target: Any, d_mean: Any) -> Any:
            return _slope(targets, logits, total, d_target, d_mean)

        return (of_target, mean), gradient

    return compiled(logits)


def _reduce_once(targets: Any, logits: Any) -> tuple[Any, Any, Any]:
    """Log p of the targets and its mean, and log Σ exp of the logits, each `(count,)`."""
    highest = tf.reduce_max(logits, axis=1)
    total = tf.math.log(tf.reduce_sum(tf.exp(logits - highest[:, None]), axis=1))
    of_target = tf.gather(logits, targets, batch_dims=1) - highest - total
    return of_target, tf.reduce_mean(logits, axis=1) - highest - total, total + highest


# Two: rare crashes in what XLA of TensorFlow 2.21 sets up for reductions on CPUs point to two
# threads in one compiled function, as the loss and the metric of a step would be.
_reduce, _reduce_to_watch = _compiled(_reduce_once), _compiled(_reduce_once)


@_compiled
def _slope(targets: Any, logits: Any, total: Any, d_target: Any, d_mean: Any) -> Any:
    """The gradient of the logits."""
    vocab = tf.shape(logits)[1]
    is_target = tf.range(vocab) == targets[:, None]
    even = d_mean / tf.cast(vocab, d_mean.dtype)
    even = even[:, None] + tf.where(is_target, d_target[:, None], 0)
    return even - tf.exp(logits - total[:, None]) * (d_target + d_mean)[:, None]
