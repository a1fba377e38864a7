"""Sparse targets of records → the dense ones that losses take."""

import tensorflow as tf

from rnnpipe.text.tokens import END, PAD, START


def to_soft_targets(ids: tf.Tensor, weights: tf.Tensor, classes: int) -> tf.Tensor:
    """A weight for every class.

    Args:
        ids: `(batch, length)`, padded with any id whose weight is zero.
        weights: `(batch, length)`.
        classes: how many classes there are.

    Returns:
        `(batch, classes)`.

    Example:
        >>> to_soft_targets(tf.constant([[2, 0]]), tf.constant([[0.7, 0.3]]), 3).numpy()
        array([[0.3, 0. , 0.7]], dtype=float32)
    """
    rows = tf.broadcast_to(tf.range(tf.shape(ids)[0])[:, None], tf.shape(ids))
    where = tf.stack([rows, tf.cast(ids, tf.int32)], axis=-1)  # (batch, length, 2)
    return tf.scatter_nd(where, weights, [tf.shape(ids)[0], classes])


def shift_targets(tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What a decoder reads, from the start token on, and what it says, up to the end token.

    Args:
        tokens: `(batch, time)`, padded behind.

    Returns:
        Both `(batch, time + 1)` of int32.

    Example:
        >>> reads, says = shift_targets(tf.constant([[7, 8], [9, 0]]))
        >>> reads.numpy().tolist(), says.numpy().tolist()
        ([[2, 7, 8], [2, 9, 0]], [[7, 8, 3], [9, 3, 0]])
    """
    tokens = tf.cast(tokens, tf.int32)
    inputs = tf.pad(tokens, [[0, 0], [1, 0]], constant_values=START)
    targets = tf.pad(tokens, [[0, 0], [0, 1]], constant_values=PAD)
    lengths = tf.math.count_nonzero(tokens != PAD, axis=1, dtype=tf.int32)
    return inputs, targets + END * tf.one_hot(lengths, tf.shape(targets)[1], dtype=tf.int32)
