"""The decoder with one recurrent cell and additive attention, for TensorFlow on CPUs.

As with the recurrences, the words of all steps are projected in one product before the loop, every
weight gradient is one product after the backward loop, and in training XLA compiles both loops.
Where target or source vary in length, they are padded to a few sizes, so that XLA compiles for
those only; the loop itself stops at the true length.
"""

import functools
from typing import Any, TypeAlias

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.additive_attention import Memory
from rnnpipe.layers.kernels.tensorflow.compiled_shapes import MIN_UNITS, CompiledShapes
from rnnpipe.layers.kernels.tensorflow.decoder_architectures import BahdanauLoop, LuongLoop
from rnnpipe.layers.kernels.tensorflow.decoder_loop import (
    DecoderLoop,
    Residuals,
    StepGradients,
    StepOutputs,
    Weights,
)
from rnnpipe.layers.kernels.tensorflow.decoder_shapes import (
    flatten_memory,
    pack_outputs,
    pad_memory,
    paddings_for,
    restore_shapes,
)
from rnnpipe.layers.kernels.tensorflow.graphs import may_compile
from rnnpipe.layers.kernels.tensorflow.kernel import Kernel, widen
from rnnpipe.layers.kernels.tensorflow.padding import (
    merge_first_axes,
    pad,
)
from rnnpipe.layers.kernels.tensorflow.recurrences import RECURRENCES, Tensors
from rnnpipe.layers.kernels.tensorflow.tapes import is_forward_mode, reject_second_order
from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Tensor

Inputs: TypeAlias = tuple[Tensor, Tensors, Memory, Weights]
"""The projected words, the first states, what the attention reads, and all weights."""

MIN_STEPS = 8
"""Below it a forward pass gains too little for what its compilation takes."""

LOOPS: dict[str, type[DecoderLoop]] = {"luong": LuongLoop, "bahdanau": BahdanauLoop}


class DecoderKernel(Kernel):
    """All steps of a decoder.

    Args:
        loop: the loop over the steps.
    """

    def __init__(self, loop: DecoderLoop) -> None:
        super().__init__()
        self.loop = loop
        self.shapes = CompiledShapes()

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
            They have the dtype of the words; in half precision the loop computes in float32.
        """
        kernel, bias, recurrent, attention, readout = weights
        features, dtype = words.shape[-1], words.dtype
        words = tf.transpose(words, (1, 0, 2))
        z = widen(tf.matmul(merge_first_axes(words), kernel[:features]))
        z = z if bias is None else tf.nn.bias_add(z, widen(bias))
        z = tf.reshape(z, (*tf.unstack(tf.shape(words)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*words.shape[:2], z.shape[-1]))
        input_feed = kernel[features:] if kernel.shape[0] > features else ()
        loop_weights = widen(
            Weights(tuple(recurrent), input_feed, tuple(attention), tuple(readout))
        )
        keys, values, mask = memory
        flat = flatten_memory(widen(keys), widen(values), mask)
        inputs = (z, widen(tuple(states)), flat, loop_weights)
        keys, values, _ = inputs[2]
        eager = tf.executing_eagerly()
        if training and not is_forward_mode((*inputs[:2], keys, values, loop_weights)):
            varies = (eager or z.shape[0] is None, eager or keys.shape[1] is None)
            outputs = (self._train if eager else self.train)(inputs, varies=varies)
        else:
            compiles = may_compile()
            outputs = (self.infer if eager or compiles else self._infer)(inputs, compiles=compiles)
        outputs = StepOutputs(
            *(
                part if is_empty(part) else tf.transpose(part, (1, 0, *range(2, len(part.shape))))
                for part in outputs
            )
        )
        outputs = restore_shapes(outputs, z, inputs[1], inputs[2])
        return tf.nest.map_structure(lambda part: tf.cast(part, dtype), outputs)

    def _infer(self, inputs: Inputs, *, compiles: bool) -> StepOutputs:
        """The outputs of all steps; in plain TensorFlow, so that models export, or compiled."""
        if not compiles:
            return self._plain(inputs)
        z, states, (keys, values, mask), weights = inputs
        differentiable = (z, states, keys, values, weights)

        def pack(flat: Tensors) -> Inputs:
            z, states, keys, values, weights = tf.nest.pack_sequence_as(differentiable, flat)
            return z, states, Memory(keys, values, mask), weights

        @tf.custom_gradient
        def forward(*flat: Tensor) -> Any:
            def gradient(*d_flat: Tensor) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(flat)
                    outputs = tf.nest.flatten(self._plain(pack(flat)))
                return tape.gradient(outputs, flat, list(d_flat))

            return tf.nest.flatten(self._choose(pack(flat))), gradient

        return pack_outputs(forward(*tf.nest.flatten(differentiable)))

    def _plain(self, inputs: Inputs) -> StepOutputs:
        return self.loop.forward(*inputs, tf.shape(inputs[0])[0], save=False)[0]

    def _choose(self, inputs: Inputs) -> StepOutputs:
        """The outputs of all steps, compiled where that pays."""
        z, (h, *_), memory, _ = inputs
        steps, batch = (size or tf.shape(z)[axis] for axis, size in enumerate(z.shape[:2]))
        positions = memory.keys.shape[1] or tf.shape(memory.keys)[1]
        pays = h.shape[1] >= MIN_UNITS and steps >= MIN_STEPS

        def compiled() -> StepOutputs:
            # The loop of training: it is compiled there already, and what it saves is small.
            varies = tuple(not isinstance(size, int) for size in (steps, positions))
            return self._forward(inputs, varies=varies)[0]

        return self.shapes.choose(
            batch, (steps, positions), pays, compiled, lambda: self._plain(inputs)
        )

    def _train(self, inputs: Inputs, *, varies: tuple[bool, bool]) -> StepOutputs:
        """The outputs of all steps, differentiable by all but the mask.

        `varies` is whether the number of steps and whether that of positions may vary.
        """
        forward, backward = self.loops(varies)
        mask = inputs[2].mask

        @tf.custom_gradient
        def compiled(
            z: Tensor, states: Tensors, keys: Tensor, values: Tensor, weights: Weights
        ) -> Any:
            inputs = (z, states, Memory(keys, values, mask), weights)
            # Else a tape of higher order would follow the residuals back into XLA.
            outputs, residuals = tf.nest.map_structure(tf.stop_gradient, forward(inputs))

            @tf.custom_gradient
            def gradient(*d_flat: Tensor) -> Any:
                # What gathers rows of an output has a sparse gradient, which no loop carries.
                d_flat = tuple(map(tf.convert_to_tensor, d_flat))
                d_outputs = tf.nest.pack_sequence_as(outputs, d_flat)
                d_inputs = backward(d_outputs, inputs, residuals)
                return tuple(tf.nest.flatten(d_inputs)), reject_second_order

            return tf.nest.flatten(outputs), gradient

        z, states, memory, weights = inputs
        return pack_outputs(compiled(z, states, memory.keys, memory.values, weights))

    def _forward(
        self, inputs: Inputs, *, varies: tuple[bool, ...]
    ) -> tuple[StepOutputs, tuple[StepOutputs, Tensors]]:
        """The outputs of all steps; and the residuals: padded outputs, and what the loop saved."""
        (z, states, memory, weights), length = inputs, tf.shape(inputs[0])[0]
        steps, more = paddings_for(z, memory, varies)
        outputs, saved = self.loop.train(
            pad(z, steps), states, pad_memory(memory, more), weights, length
        )
        trimmed = tf.nest.map_structure(lambda values: values[:length], outputs)
        alignments = trimmed.alignments[..., : tf.shape(memory.keys)[1]]
        return trimmed._replace(alignments=alignments), (outputs, saved)

    def _backward(
        self,
        d_outputs: StepOutputs,
        inputs: Inputs,
        residuals: tuple[StepOutputs, Tensors],
        *,
        varies: tuple[bool, bool],
    ) -> Any:
        """Gradients of z, states, keys, values and weights."""
        (z, states, memory, weights), (outputs, saved) = inputs, residuals
        length, positions = tf.shape(z)[0], tf.shape(memory.keys)[1]
        steps, more = paddings_for(z, memory, varies)
        d_outputs = tf.nest.map_structure(lambda d: pad(d, steps), d_outputs)
        d_outputs = d_outputs._replace(alignments=pad(d_outputs.alignments, more, axis=3))
        previous_output = tf.concat([states[:1], outputs.output[:-1]], axis=0)
        all_residuals = Residuals(outputs, previous_output, saved)
        gradients, d_states, (d_keys, d_score) = self.loop.backward(
            all_residuals, d_outputs, states, pad_memory(memory, more), weights, length
        )
        d_values = _values_gradient(outputs.alignments, gradients.context)
        d_weights = self._weight_gradients(all_residuals, gradients, d_score, weights)
        d_memory = (d_keys[:, :positions], d_values[:, :positions])
        return (gradients.z[:length], d_states, *d_memory, d_weights)

    def _weight_gradients(
        self, residuals: Residuals, gradients: StepGradients, d_score: Tensor, weights: Weights
    ) -> Weights:
        """Gradients of all weights, each as one product over all steps."""
        outputs, previous_output, saved = _merge(residuals)
        d = _merge(gradients)
        input_feed: Any = ()
        if not is_empty(weights.input_feed):
            fed = merge_first_axes(self.loop.fed_inputs(residuals.outputs))
            input_feed = tf.matmul(fed, d.z, transpose_a=True)
        readout: Tensors = ()
        if weights.readout:
            readout = (
                tf.matmul(outputs.output, d.readout, transpose_a=True),
                tf.matmul(outputs.context, d.readout, transpose_a=True),
                tf.reduce_sum(d.readout, axis=0),
            )
        queries = merge_first_axes(self.loop.queries(residuals))
        query_kernel = tf.matmul(queries, d.query, transpose_a=True)
        recurrent = self.loop.recurrence.weight_gradients(d.z, saved, previous_output)
        return Weights(recurrent, input_feed, (query_kernel, d_score), readout)


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
        lambda values: merge_first_axes(values) if len(values.shape) == 3 else values, tensors
    )


@functools.cache
def decoder_kernel(recurrence: str, architecture: str, sizes: tuple[int, ...]) -> DecoderKernel:
    """The kernel of an `"lstm"` or `"gru"` decoder, shared by all decoders of these sizes.

    Decoders of other sizes have graphs of their own: a shared one would lose its static shapes.
    """
    del sizes
    return DecoderKernel(LOOPS[architecture](RECURRENCES[recurrence]()))
