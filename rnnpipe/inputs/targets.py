"""Sparse targets of records → the dense ones that losses take."""

import tensorflow as tf


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
