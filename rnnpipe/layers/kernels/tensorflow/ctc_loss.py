"""The CTC loss for TensorFlow on CPUs.

Keras computes it with all pairs of states at every frame, in a loop of TensorFlow
(`tools.bench.ctc` compares the two). The operation for CPUs is none of XLA's: on CPUs, Keras
compiles models with XLA only where it is told to.
"""

import tensorflow as tf

from rnnpipe.types import Tensor


def ctc_loss(targets: Tensor, logits: Tensor, target_lengths: Tensor, lengths: Tensor) -> Tensor:
    """The loss of each example, `(batch,)`; see `rnnpipe.layers.ctc_loss`.

    Args:
        targets: `(batch, target_time)` int32, feasible ones.
        logits: `(batch, time, vocabulary)`, of which token 0 is the blank.
        target_lengths: `(batch,)` int32.
        lengths: `(batch,)` int32, each at least 1.
    """
    logits = tf.cast(logits, tf.float64 if logits.dtype == tf.float64 else tf.float32)
    # The operation takes no empty targets, whose only path has blanks alone.
    is_empty = tf.equal(target_lengths, 0)
    targets = tf.where(is_empty[:, None], tf.ones_like(targets), targets)
    inside = tf.sequence_mask(tf.maximum(target_lengths, 1), tf.shape(targets)[1])
    # The blank of the operation is the last token.
    losses = tf.raw_ops.CTCLoss(
        inputs=tf.roll(tf.transpose(logits, (1, 0, 2)), -1, axis=2),
        labels_indices=tf.where(inside),
        labels_values=tf.boolean_mask(targets, inside) - 1,
        sequence_length=lengths,
    ).loss
    return tf.where(is_empty, _blank_losses(logits, lengths), losses)


def _blank_losses(logits: Tensor, lengths: Tensor) -> Tensor:
    """The losses of no tokens."""
    losses = tf.reduce_logsumexp(logits, axis=-1) - logits[:, :, 0]  # (batch, time)
    inside = tf.sequence_mask(lengths, tf.shape(losses)[1])
    return tf.reduce_sum(tf.where(inside, losses, tf.zeros_like(losses)), axis=1)
