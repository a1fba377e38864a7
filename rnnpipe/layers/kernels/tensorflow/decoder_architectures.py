"""The steps of the architectures of Luong and of Bahdanau, forward and backward, in TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.additive_attention import Memory
from rnnpipe.layers.kernels.tensorflow.decoder_loop import (
    Carry,
    DecoderLoop,
    Residuals,
    StepGradients,
    StepOutputs,
    Weights,
)
from rnnpipe.layers.kernels.tensorflow.recurrences import Tensors
from rnnpipe.nested import is_empty
from rnnpipe.types import Tensor


class LuongLoop(DecoderLoop):
    """s = cell([e; f], s); c, α = attention(s, memory); f = r or c, for the next step."""

    def step(
        self, z: Tensor, carry: Carry, memory: Memory, weights: Weights
    ) -> tuple[Carry, StepOutputs, Tensors]:
        """The cell steps, then attends."""
        states, feed = carry
        if not is_empty(weights.input_feed):
            z += tf.matmul(feed, weights.input_feed)
        states, saved = self.recurrence.forward(z, states, weights.recurrent)
        context, alignments = self.attention.forward(states[0], memory, weights.attention)
        readout: Any = ()
        if weights.readout:
            of_output, of_context, bias = weights.readout
            readout = tf.matmul(states[0], of_output) + tf.matmul(context, of_context)
            readout = tf.tanh(readout + bias)
        if not is_empty(feed):
            feed = readout if weights.readout else context
        return (states, feed), StepOutputs(states[0], context, alignments, readout), saved

    def step_backward(
        self,
        residuals: Residuals,
        d_outputs: StepOutputs,
        d_carry: Carry,
        attention_backward: Callable[..., Tensors],
        transposed: Weights,
    ) -> tuple[Carry, StepGradients, Tensors]:
        """Back through the readout, the attention and the cell."""
        (dh, *d_rest), d_feed = d_carry
        outputs, previous_output, saved = residuals
        dh += d_outputs.output
        d_context, d_readout = d_outputs.context, d_outputs.readout
        if transposed.readout:
            d_readout = (d_readout + d_feed) * (1 - outputs.readout * outputs.readout)
            dh += tf.matmul(d_readout, transposed.readout[0])
            d_context += tf.matmul(d_readout, transposed.readout[1])
        elif not is_empty(d_feed):
            d_context += d_feed
        d_query, *terms = attention_backward(
            (d_context, d_outputs.alignments), outputs.output, outputs.alignments
        )
        dh += tf.matmul(d_query, transposed.attention[0])
        dz, d_states = self.recurrence.backward(
            (dh, *d_rest), saved, previous_output, transposed.recurrent[0]
        )
        if not is_empty(transposed.input_feed):
            d_feed = tf.matmul(dz, transposed.input_feed)
        gradients = StepGradients(dz, d_query, d_context, d_readout)
        return (d_states, d_feed), gradients, tuple(terms)

    def first_feed(self, states: Tensors, weights: Weights) -> Tensor:
        """Zeros, with input feeding."""
        if is_empty(weights.input_feed):
            return ()
        return tf.zeros((tf.shape(states[0])[0], weights.input_feed.shape[0]), states[0].dtype)

    def fed_inputs(self, outputs: StepOutputs) -> Tensor:
        """Readout or context of the step before."""
        fed = outputs.context if is_empty(outputs.readout) else outputs.readout
        return tf.concat([tf.zeros_like(fed[:1]), fed[:-1]], axis=0)

    def queries(self, residuals: Residuals) -> Tensor:
        """The outputs."""
        return residuals.outputs.output


class BahdanauLoop(DecoderLoop):
    """c, α = attention(s, memory); s = cell([e; c], s)."""

    def step(
        self, z: Tensor, carry: Carry, memory: Memory, weights: Weights
    ) -> tuple[Carry, StepOutputs, Tensors]:
        """The cell attends, then steps."""
        states, _ = carry
        context, alignments = self.attention.forward(states[0], memory, weights.attention)
        if not is_empty(weights.input_feed):
            z += tf.matmul(context, weights.input_feed)
        states, saved = self.recurrence.forward(z, states, weights.recurrent)
        return (states, ()), StepOutputs(states[0], context, alignments, ()), saved

    def step_backward(
        self,
        residuals: Residuals,
        d_outputs: StepOutputs,
        d_carry: Carry,
        attention_backward: Callable[..., Tensors],
        transposed: Weights,
    ) -> tuple[Carry, StepGradients, Tensors]:
        """Back through the cell and the attention."""
        (dh, *d_rest), _ = d_carry
        outputs, previous_output, saved = residuals
        dz, (dh, *d_rest) = self.recurrence.backward(
            (dh + d_outputs.output, *d_rest), saved, previous_output, transposed.recurrent[0]
        )
        d_context = d_outputs.context
        if not is_empty(transposed.input_feed):
            d_context += tf.matmul(dz, transposed.input_feed)
        d_query, *terms = attention_backward(
            (d_context, d_outputs.alignments), previous_output, outputs.alignments
        )
        dh += tf.matmul(d_query, transposed.attention[0])
        gradients = StepGradients(dz, d_query, d_context, d_outputs.readout)
        return ((dh, *d_rest), ()), gradients, tuple(terms)

    def first_feed(self, states: Tensors, weights: Weights) -> Tensor:
        """None: the step itself computes what it reads."""
        del states, weights
        return ()

    def fed_inputs(self, outputs: StepOutputs) -> Tensor:
        """The contexts."""
        return outputs.context

    def queries(self, residuals: Residuals) -> Tensor:
        """The outputs of the step before."""
        return residuals.previous_output
