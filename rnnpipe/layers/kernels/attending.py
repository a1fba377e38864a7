"""One look of additive attention, forward and backward by hand, in TensorFlow.

Positions are flat: keys `(batch, positions, units)`, memory `(batch, positions, features)`, and
`readable`, True where memory may be read, `(batch, 1, positions)`.
"""

from typing import Any, NamedTuple

import tensorflow as tf


class Source(NamedTuple):
    """What is looked at, the same at every step."""

    keys: Any
    memory: Any
    readable: Any


class AdditiveLook:
    """α = softmax(vᵀ tanh(keys + q W)); weights: the query kernel W and the score kernel v."""

    def forward(self, query: Any, source: Source, weights: tuple[Any, Any]) -> tuple[Any, Any]:
        """The context `(batch, glimpses * features)` and `(batch, glimpses, positions)`."""
        scores = tf.matmul(_merge(_joint(query, source, weights)), weights[1])
        batch, positions, _ = source.keys.shape
        shape = (batch or tf.shape(query)[0], positions or tf.shape(source.keys)[1])
        scores = tf.transpose(tf.reshape(scores, (*shape, scores.shape[1])), (0, 2, 1))
        lowest = tf.constant(scores.dtype.min / 2, scores.dtype)
        alignments = tf.nn.softmax(tf.where(source.readable, scores, lowest))
        # Where nothing is readable, the softmax is uniform and this makes it zero.
        alignments = tf.where(source.readable, alignments, tf.zeros_like(alignments))
        context = tf.matmul(alignments, source.memory)
        return tf.reshape(context, (-1, context.shape[1] * context.shape[2])), alignments

    def backward(
        self,
        gradients: tuple[Any, Any],
        query: Any,
        alignments: Any,
        source: Source,
        weights: tuple[Any, Any],
    ) -> tuple[Any, Any, Any]:
        """Gradients of the projected query, of the keys and of the score kernel.

        `gradients` are those of the context and of the alignments.
        """
        d_context, d_alignments = gradients
        glimpses, features = alignments.shape[1], source.memory.shape[2]
        d_context = tf.reshape(d_context, (-1, glimpses, features))
        d_alignments += tf.matmul(d_context, source.memory, transpose_b=True)
        total = tf.reduce_sum(alignments * d_alignments, axis=2, keepdims=True)
        d_scores = tf.transpose(alignments * (d_alignments - total), (0, 2, 1))
        d_scores = _merge(d_scores)  # (batch * positions, glimpses)
        joint = _joint(query, source, weights)
        d_joint = tf.matmul(d_scores, weights[1], transpose_b=True)
        d_joint = tf.reshape(d_joint, tf.shape(joint)) * (1 - joint * joint)
        d_score = tf.matmul(_merge(joint), d_scores, transpose_a=True)
        return tf.reduce_sum(d_joint, axis=1), d_joint, d_score


def _joint(query: Any, source: Source, weights: tuple[Any, Any]) -> Any:
    """`(batch, positions, units)`: computed again on the way back, since all steps' are large."""
    return tf.tanh(source.keys + tf.matmul(query, weights[0])[:, None, :])


def _merge(values: Any) -> Any:
    return tf.reshape(values, (-1, values.shape[2]))
