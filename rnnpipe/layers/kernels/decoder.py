"""The decoder on TensorFlow and CPU: one recurrent cell, additive attention.

As with the recurrences, the words of all steps are projected in one product before the loop, every
weight gradient is one product after the loop back, and in training both loops are compiled by XLA.
Where target or source vary in length, they are padded up to a few sizes, so that XLA has to compile
for those only; the loop itself stops at the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.attending import Source
from rnnpipe.layers.kernels.decoder_loop import DecoderLoop, Kept, Slopes, Steps, Weights, given
from rnnpipe.layers.kernels.padding import merge, pad, padding_for, refuse_second_order
from rnnpipe.layers.kernels.recurrences import GRURecurrence, LSTMRecurrence, Recurrence, Tensors


class DecoderKernel:
    """All steps of a decoder.

    Args:
        recurrence: what the cell does in a step.
        before: whether it looks before the cell steps, and not after.
    """

    def __init__(self, recurrence: Recurrence, before: bool) -> None:
        self.before, self.recurrence = before, recurrence
        self.loop = DecoderLoop(recurrence, before)
        graph = functools.partial(tf.function, autograph=False, reduce_retracing=True)
        self.infer = graph(self._infer)
        # A graph even where Keras runs eagerly: a tape cannot record through XLA.
        self.train = graph(self._train)

    def __call__(
        self,
        words: Any,
        states: Tensors,
        source: tuple[Any, Any, Any],
        weights: tuple[Any, Any, Any, Any, Any],
        training: bool,
    ) -> tuple[Any, Any, Any, Any]:
        """Runs over all words.

        Args:
            words: `(batch, time, features)`.
            states: the first states, each `(batch, units)`.
            source: keys `(batch, positions, units)`, memory `(batch, ..., features)` and a mask
                `(batch, ...)` or None.
            weights: kernel of the cell, for words and what is fed, and its input bias or None; the
                recurrent weights; query and score kernel; and kernels and bias of a readout that
                is fed, or an empty tuple.
            training: whether gradients are likely to be asked for.

        Returns:
            Outputs, contexts and readouts `(batch, time, size)`, with an empty tuple for readouts
            that are not fed, and alignments `(batch, time, glimpses, positions)` before the last.
        """
        kernel, bias, recurrent, look, readout = weights
        features = words.shape[-1]
        words = tf.transpose(words, (1, 0, 2))
        z = tf.matmul(merge(words), kernel[:features])
        z = z if bias is None else tf.nn.bias_add(z, bias)
        z = tf.reshape(z, (*tf.unstack(tf.shape(words)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*words.shape[:2], z.shape[-1]))
        fed = kernel[features:] if kernel.shape[0] > features else ()
        read = Weights(tuple(recurrent), fed, tuple(look), tuple(readout))
        read = tf.nest.map_structure(tf.convert_to_tensor, read)
        inputs = (z, tuple(states), _flat(*source), read)
        eager = tf.executing_eagerly()
        if training:
            steps = self.train(
                *inputs,
                time_varies=eager or z.shape[0] is None,
                source_varies=eager or inputs[2].keys.shape[1] is None,
            )
        else:
            steps = (self.infer if eager else self._infer)(*inputs)
        return tuple(
            tf.transpose(each, (1, 0, *range(2, len(each.shape)))) if given(each) else each
            for each in steps
        )

    def _infer(self, z: Any, states: Tensors, source: Source, weights: Weights) -> Steps:
        """What all steps find, in plain TensorFlow, so that models can be exported."""
        return self.loop.forward(z, states, source, weights, tf.shape(z)[0], save=False)[0]

    def _train(
        self,
        z: Any,
        states: Tensors,
        source: Source,
        weights: Weights,
        *,
        time_varies: bool,
        source_varies: bool,
    ) -> Steps:
        """What all steps find, differentiable by all but `source.readable`."""
        length, positions = tf.shape(z)[0], tf.shape(source.keys)[1]
        steps = padding_for(length) if time_varies else None
        more = padding_for(positions) if source_varies else None
        readable = pad(source.readable, more, axis=2)

        @tf.custom_gradient
        def compiled(z: Any, states: Tensors, keys: Any, memory: Any, weights: Weights) -> Any:
            padded = Source(pad(keys, more, axis=1), pad(memory, more, axis=1), readable)
            # Else a tape of higher order would follow what was saved back into XLA.
            found, saved = tf.nest.map_structure(
                tf.stop_gradient,
                self.loop.train(pad(z, steps), states, padded, weights, length),
            )
            before = tf.concat([states[:1], found.output[:-1]], axis=0)

            @tf.custom_gradient
            def gradient(*d_found: Any) -> Any:
                d_steps = tf.nest.pack_sequence_as(found, [pad(d, steps) for d in d_found])
                d_steps = d_steps._replace(alignments=pad(d_steps.alignments, more, axis=3))
                kept = Kept(found, before, saved)
                slopes, d_states, (d_keys, d_score) = self.loop.back(
                    kept, d_steps, states, padded, weights, length
                )
                d_memory = _memory_gradient(found.alignments, slopes.context)
                d_weights = self._weight_gradients(kept, slopes, d_score, weights)
                d_source = (d_keys[:, :positions], d_memory[:, :positions])
                d_inputs = (slopes.z[:length], d_states, *d_source, d_weights)
                return tuple(tf.nest.flatten(d_inputs)), refuse_second_order

            trimmed = tf.nest.map_structure(lambda each: each[:length], found)
            trimmed = trimmed._replace(alignments=trimmed.alignments[..., :positions])
            return tf.nest.flatten(trimmed), gradient

        flat = compiled(z, states, source.keys, source.memory, weights)
        return Steps(*flat, *[()] * (len(Steps._fields) - len(flat)))

    def _weight_gradients(
        self, kept: Kept, slopes: Slopes, d_score: Any, weights: Weights
    ) -> Weights:
        """Gradients of all weights, each as one product over all steps."""
        found, before, saved = _merge(kept)
        d = _merge(slopes)
        fed: Any = ()
        if given(weights.fed):
            read = kept.found.readout if weights.readout else kept.found.context
            if not self.before:
                read = tf.concat([tf.zeros_like(read[:1]), read[:-1]], axis=0)
            fed = tf.matmul(merge(read), d.z, transpose_a=True)
        readout: Tensors = ()
        if weights.readout:
            readout = (
                tf.matmul(found.output, d.readout, transpose_a=True),
                tf.matmul(found.context, d.readout, transpose_a=True),
                tf.reduce_sum(d.readout, axis=0),
            )
        asked = before if self.before else found.output
        query = tf.matmul(asked, d.query, transpose_a=True)
        recurrent = self.recurrence.weight_gradients(d.z, saved, before)
        return Weights(recurrent, fed, (query, d_score), readout)


def _flat(keys: Any, memory: Any, mask: Any) -> Source:
    """The source with its positions flat and its memory blank where it may not be read."""
    batch, positions = tf.shape(keys)[0], tf.shape(keys)[1]
    static = (memory.shape[0], keys.shape[1], memory.shape[-1])
    memory = tf.ensure_shape(tf.reshape(memory, (batch, positions, static[-1])), static)
    if mask is None:
        return Source(keys, memory, tf.ones((batch, 1, positions), tf.bool))
    mask = tf.cast(tf.reshape(mask, (batch, positions)), tf.bool)
    # A NaN in the padding would reach context and gradients as 0 * NaN.
    memory = tf.where(mask[:, :, None], memory, tf.zeros_like(memory))
    return Source(keys, memory, mask[:, None])


def _memory_gradient(alignments: Any, d_context: Any) -> Any:
    """`(batch, positions, features)`, as one product over all steps and glimpses."""
    glimpses = alignments.shape[2]
    d_context = tf.reshape(
        d_context, (*tf.unstack(tf.shape(alignments)[:3]), d_context.shape[2] // glimpses)
    )
    alignments, d_context = (_by_row(each) for each in (alignments, d_context))
    return tf.matmul(alignments, d_context, transpose_a=True)


def _by_row(values: Any) -> Any:
    """`(time, batch, glimpses, size)` to `(batch, time * glimpses, size)`."""
    time, batch, glimpses, size = tf.unstack(tf.shape(values))
    return tf.reshape(tf.transpose(values, (1, 0, 2, 3)), (batch, time * glimpses, size))


def _merge(structure: Any) -> Any:
    """Time and batch as one axis in all that has two more; alignments are left as they are."""
    return tf.nest.map_structure(
        lambda values: merge(values) if len(values.shape) == 3 else values, structure
    )


@functools.cache
def make_kernel(recurrence: str, before: bool, sizes: tuple[int, ...]) -> DecoderKernel:
    """The kernel of a `"lstm"` or `"gru"` decoder, shared by all decoders of these sizes.

    Decoders of other sizes have graphs of their own: one for all would not know its outputs' sizes.
    """
    del sizes
    kinds: dict[str, type[Recurrence]] = {"lstm": LSTMRecurrence, "gru": GRURecurrence}
    return DecoderKernel(kinds[recurrence](), before)
