"""The decoder with one recurrent cell and additive attention, for TensorFlow on CPUs.

As with the recurrences, the words of all steps are projected in one product before the loop, every
weight gradient is one product after the backward loop, and in training XLA compiles both loops.
Where target or source vary in length, they are padded to a few sizes, so that XLA compiles for
those only; the loop itself stops at the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.additive_attention import Memory
from rnnpipe.layers.kernels.tensorflow.decoder_architectures import BahdanauLoop, LuongLoop
from rnnpipe.layers.kernels.tensorflow.decoder_loop import (
    DecoderLoop,
    Residuals,
    StepGradients,
    StepOutputs,
    Weights,
)
from rnnpipe.layers.kernels.tensorflow.padding import (
    merge_time_and_batch,
    pad,
    padding_for,
    reject_second_order,
)
from rnnpipe.layers.kernels.tensorflow.recurrences import RECURRENCES, Tensors
from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Tensor

LOOPS: dict[str, type[DecoderLoop]] = {"luong": LuongLoop, "bahdanau": BahdanauLoop}


class DecoderKernel:
    """All steps of a decoder.

    Args:
        loop: the loop over the steps.
    """

    def __init__(self, loop: DecoderLoop) -> None:
        self.loop = loop
        graph = functools.partial(tf.function, autograph=False, reduce_retracing=True)
        self.infer = graph(self._infer)
        # A graph even where Keras runs eagerly: a tape cannot record through XLA.
        self.train = graph(self._train)

    def __call__(
        self,
        words: Tensor,
        states: Tensors,
        memory: tuple[Tensor, Tensor, Tensor],
        weights: tuple[Any, ...],
        training: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Runs over all words.

        Args:
            words: `(batch, time, features)`.
            states: the first states, each `(batch, units)`.
            memory: keys `(batch, positions, units)`, values `(batch, ..., features)` and a mask
                `(batch, ...)` or None.
            weights: kernel of the cell, for words and input feed, and its input bias or None; the
                recurrent weights; query and score kernel; and kernels and bias of a readout that
                the next step reads, or an empty tuple.
            training: whether gradients are likely to be computed.

        Returns:
            Outputs, contexts, alignments `(batch, time, glimpses, positions)` and readouts; all
            others are `(batch, time, size)`, and readouts an empty tuple without input feeding.
        """
        kernel, bias, recurrent, attention, readout = weights
        features = words.shape[-1]
        words = tf.transpose(words, (1, 0, 2))
        z = tf.matmul(merge_time_and_batch(words), kernel[:features])
        z = z if bias is None else tf.nn.bias_add(z, bias)
        z = tf.reshape(z, (*tf.unstack(tf.shape(words)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*words.shape[:2], z.shape[-1]))
        input_feed = kernel[features:] if kernel.shape[0] > features else ()
        loop_weights = Weights(tuple(recurrent), input_feed, tuple(attention), tuple(readout))
        loop_weights = tf.nest.map_structure(tf.convert_to_tensor, loop_weights)
        inputs = (z, tuple(states), _flatten(*memory), loop_weights)
        eager = tf.executing_eagerly()
        if training:
            outputs = self.train(
                *inputs,
                time_varies=eager or z.shape[0] is None,
                memory_varies=eager or inputs[2].keys.shape[1] is None,
            )
        else:
            outputs = (self.infer if eager else self._infer)(*inputs)
        return tuple(
            part if is_empty(part) else tf.transpose(part, (1, 0, *range(2, len(part.shape))))
            for part in outputs
        )

    def _infer(self, z: Tensor, states: Tensors, memory: Memory, weights: Weights) -> StepOutputs:
        """The outputs of all steps, in plain TensorFlow, so that models can be exported."""
        return self.loop.forward(z, states, memory, weights, tf.shape(z)[0], save=False)[0]

    def _train(
        self,
        z: Tensor,
        states: Tensors,
        memory: Memory,
        weights: Weights,
        *,
        time_varies: bool,
        memory_varies: bool,
    ) -> StepOutputs:
        """The outputs of all steps, differentiable by all but the mask."""
        length, positions = tf.shape(z)[0], tf.shape(memory.keys)[1]
        steps = padding_for(length) if time_varies else None
        more = padding_for(positions) if memory_varies else None
        mask = pad(memory.mask, more, axis=2)

        @tf.custom_gradient
        def compiled(
            z: Tensor, states: Tensors, keys: Tensor, values: Tensor, weights: Weights
        ) -> Any:
            padded = Memory(pad(keys, more, axis=1), pad(values, more, axis=1), mask)
            # Else a tape of higher order would follow the residuals back into XLA.
            outputs, saved = tf.nest.map_structure(
                tf.stop_gradient,
                self.loop.train(pad(z, steps), states, padded, weights, length),
            )
            previous_output = tf.concat([states[:1], outputs.output[:-1]], axis=0)

            @tf.custom_gradient
            def gradient(*d_flat: Tensor) -> Any:
                d_outputs = tf.nest.pack_sequence_as(outputs, [pad(d, steps) for d in d_flat])
                d_outputs = d_outputs._replace(alignments=pad(d_outputs.alignments, more, axis=3))
                residuals = Residuals(outputs, previous_output, saved)
                gradients, d_states, (d_keys, d_score) = self.loop.backward(
                    residuals, d_outputs, states, padded, weights, length
                )
                d_values = _values_gradient(outputs.alignments, gradients.context)
                d_weights = self._weight_gradients(residuals, gradients, d_score, weights)
                d_memory = (d_keys[:, :positions], d_values[:, :positions])
                d_inputs = (gradients.z[:length], d_states, *d_memory, d_weights)
                return tuple(tf.nest.flatten(d_inputs)), reject_second_order

            trimmed = tf.nest.map_structure(lambda values: values[:length], outputs)
            trimmed = trimmed._replace(alignments=trimmed.alignments[..., :positions])
            return tf.nest.flatten(trimmed), gradient

        flat = compiled(z, states, memory.keys, memory.values, weights)
        return StepOutputs(*flat, *[()] * (len(StepOutputs._fields) - len(flat)))

    def _weight_gradients(
        self, residuals: Residuals, gradients: StepGradients, d_score: Tensor, weights: Weights
    ) -> Weights:
        """Gradients of all weights, each as one product over all steps."""
        outputs, previous_output, saved = _merge(residuals)
        d = _merge(gradients)
        input_feed: Any = ()
        if not is_empty(weights.input_feed):
            fed = merge_time_and_batch(self.loop.fed_inputs(residuals.outputs))
            input_feed = tf.matmul(fed, d.z, transpose_a=True)
        readout: Tensors = ()
        if weights.readout:
            readout = (
                tf.matmul(outputs.output, d.readout, transpose_a=True),
                tf.matmul(outputs.context, d.readout, transpose_a=True),
                tf.reduce_sum(d.readout, axis=0),
            )
        queries = merge_time_and_batch(self.loop.queries(residuals))
        query_kernel = tf.matmul(queries, d.query, transpose_a=True)
        recurrent = self.loop.recurrence.weight_gradients(d.z, saved, previous_output)
        return Weights(recurrent, input_feed, (query_kernel, d_score), readout)


def _flatten(keys: Tensor, values: Tensor, mask: Tensor) -> Memory:
    """The memory with its positions flat and zeros at masked positions."""
    batch, positions = tf.shape(keys)[0], tf.shape(keys)[1]
    static = (values.shape[0], keys.shape[1], values.shape[-1])
    values = tf.ensure_shape(tf.reshape(values, (batch, positions, static[-1])), static)
    if mask is None:
        return Memory(keys, values, tf.ones((batch, 1, positions), tf.bool))
    mask = tf.cast(tf.reshape(mask, (batch, positions)), tf.bool)
    # A NaN in the padding would reach context and gradients as 0 * NaN.
    values = tf.where(mask[:, :, None], values, tf.zeros_like(values))
    return Memory(keys, values, mask[:, None])


def _values_gradient(alignments: Tensor, d_context: Tensor) -> Tensor:
    """`(batch, positions, features)`, as one product over all steps and glimpses."""
    glimpses = alignments.shape[2]
    d_context = tf.reshape(
        d_context, (*tf.unstack(tf.shape(alignments)[:3]), d_context.shape[2] // glimpses)
    )
    return tf.matmul(_by_row(alignments), _by_row(d_context), transpose_a=True)


def _by_row(values: Tensor) -> Tensor:
    """`(time, batch, glimpses, size)` to `(batch, time * glimpses, size)`."""
    time, batch, glimpses, size = tf.unstack(tf.shape(values))
    return tf.reshape(tf.transpose(values, (1, 0, 2, 3)), (batch, time * glimpses, size))


def _merge(tensors: Nested[Tensor]) -> Any:
    """Merges time and batch of tensors with three axes; alignments, of four, stay as they are."""
    return tf.nest.map_structure(
        lambda values: merge_time_and_batch(values) if len(values.shape) == 3 else values, tensors
    )


@functools.cache
def decoder_kernel(recurrence: str, architecture: str, sizes: tuple[int, ...]) -> DecoderKernel:
    """The kernel of an `"lstm"` or `"gru"` decoder, shared by all decoders of these sizes.

    Decoders of other sizes have graphs of their own: a shared one would lose its static shapes.
    """
    del sizes
    return DecoderKernel(LOOPS[architecture](RECURRENCES[recurrence]()))
