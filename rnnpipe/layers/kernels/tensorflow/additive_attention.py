"""A step of additive attention, forward and backward by hand, in TensorFlow."""

from typing import NamedTuple

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.padding import merge_first_axes
from rnnpipe.types import Tensor


class Memory(NamedTuple):
    """What the attention reads, the same at every step; its positions are flat."""

    keys: Tensor  # (batch, positions, units)
    values: Tensor  # (batch, positions, features)
    mask: Tensor  # (batch, 1, positions), True at the positions to attend to


class AdditiveAttentionStep:
    """α = softmax(vᵀ tanh(keys + q W)); weights: the query kernel W and the score kernel v."""

    def forward(
        self, query: Tensor, memory: Memory, weights: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The context `(batch, glimpses * features)` and `(batch, glimpses, positions)`."""
        scores = tf.matmul(merge_first_axes(_joint(query, memory, weights)), weights[1])
        batch, positions, _ = memory.keys.shape
        shape = (batch or tf.shape(query)[0], positions or tf.shape(memory.keys)[1])
        if scores.shape[1] == 1:
            # Exporters to ONNX drop a reshape to (..., 1) that a transposition follows.
            scores = tf.reshape(scores, (shape[0], 1, shape[1]))
        else:
            scores = tf.transpose(tf.reshape(scores, (*shape, scores.shape[1])), (0, 2, 1))
        lowest = tf.constant(scores.dtype.min / 2, scores.dtype)
        alignments = tf.nn.softmax(tf.where(memory.mask, scores, lowest))
        # Where every position is masked, the softmax is uniform and this makes it zero.
        alignments = tf.where(memory.mask, alignments, tf.zeros_like(alignments))
        context = tf.matmul(alignments, memory.values)
        return tf.reshape(context, (-1, context.shape[1] * context.shape[2])), alignments

    def backward(
        self,
        gradients: tuple[Tensor, Tensor],
        query: Tensor,
        alignments: Tensor,
        memory: Memory,
        weights: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of the projected query, of the keys and of the score kernel.

        `gradients` are those of the context and of the alignments.
        """
        d_context, d_alignments = gradients
        glimpses, features = alignments.shape[1], memory.values.shape[2]
        d_context = tf.reshape(d_context, (-1, glimpses, features))
        d_alignments += tf.matmul(d_context, memory.values, transpose_b=True)
        total = tf.reduce_sum(alignments * d_alignments, axis=2, keepdims=True)
        d_scores = tf.transpose(alignments * (d_alignments - total), (0, 2, 1))
        d_scores = merge_first_axes(d_scores)  # (batch * positions, glimpses)
        joint = _joint(query, memory, weights)
        d_joint = tf.matmul(d_scores, weights[1], transpose_b=True)
        d_joint = tf.reshape(d_joint, tf.shape(joint)) * (1 - joint * joint)
        d_score = tf.matmul(merge_first_axes(joint), d_scores, transpose_a=True)
        return tf.reduce_sum(d_joint, axis=1), d_joint, d_score


def _joint(query: Tensor, memory: Memory, weights: tuple[Tensor, Tensor]) -> Tensor:
    """`(batch, positions, units)`: recomputed in the backward pass, as all steps' are large."""
    return tf.tanh(memory.keys + tf.matmul(query, weights[0])[:, None, :])
