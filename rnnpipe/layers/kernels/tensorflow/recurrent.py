"""The recurrences, for TensorFlow on CPUs.

Three things make them fast: the inputs of all steps are projected in one product before the loop;
in training, the backward loop is written by hand and every weight gradient is one product after it;
and in training XLA compiles both loops. It compiles anew for each shape, so lengths that can vary
are padded to a few sizes; the loop itself stops at the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.padding import (
    merge_time_and_batch,
    pad,
    padding_for,
    reject_second_order,
)
from rnnpipe.layers.kernels.tensorflow.recurrences import RECURRENCES, Recurrence, Tensors
from rnnpipe.layers.kernels.tensorflow.recurrent_loop import (
    Inputs,
    RecurrentLoop,
    swap_time_and_batch,
)
from rnnpipe.types import Tensor


class RecurrentKernel:
    """A recurrence over time; `rnnpipe.layers.kernels` documents the call.

    Args:
        recurrence: one step.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        self.loop = RecurrentLoop(recurrence)
        graph = functools.partial(tf.function, autograph=False, reduce_retracing=True)
        self.infer = graph(self._infer)
        # A graph even where Keras runs eagerly: a tape cannot record through XLA.
        self.train = graph(self._train)

    def __call__(
        self,
        sequences: Tensor,
        mask: Tensor | None,
        weights: Tensors,
        states: Tensors,
        training: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Outputs `(batch, time, units)` and last states."""
        kernel, bias, *recurrent_weights = weights
        z = tf.matmul(merge_time_and_batch(sequences), kernel)
        if bias is not None:
            z = tf.nn.bias_add(z, bias)
        z = tf.reshape(z, (*tf.unstack(tf.shape(sequences)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*sequences.shape[:2], z.shape[-1]))
        masks = () if mask is None else (tf.transpose(mask)[:, :, None],)
        states, recurrent = (
            tuple(tf.convert_to_tensor(array) for array in arrays)
            for arrays in (states, recurrent_weights)
        )
        inputs, eager = (z, states, recurrent), tf.executing_eagerly()
        if training:
            varies = eager or sequences.shape[1] is None
            outputs, *last = (self.train if eager else self._train)(inputs, masks, varies=varies)
        else:
            outputs, *last = (self.infer if eager else self._infer)(inputs, masks)
        return outputs, last

    def _infer(self, inputs: Inputs, masks: Tensors) -> Tensors:
        """Outputs and last states in plain TensorFlow, so that models can be exported."""
        run = functools.partial(self.loop.forward, masks=masks)

        @tf.custom_gradient
        def plain(*flat: Tensor) -> Any:
            def gradient(*d_outputs: Tensor) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(flat)
                    outputs = run(tf.nest.pack_sequence_as(inputs, flat), unstack=True)
                return tape.gradient(outputs, flat, d_outputs)

            return run(tf.nest.pack_sequence_as(inputs, flat), unstack=False), gradient

        return plain(*tf.nest.flatten(inputs))

    def _train(self, inputs: Inputs, masks: Tensors, *, varies: bool) -> Tensors:
        """Outputs and last states, differentiable by `inputs`: z, first states, weights."""
        # A loop over all steps of its inputs is a little faster than one to a given length.
        length = tf.shape(inputs[0])[1] if varies else None
        padding = padding_for(length) if varies else None
        masks = tuple(pad(mask, padding) for mask in masks)

        def lengthen(values: Tensor) -> Tensor:
            return pad(values, padding, axis=1)

        def shorten(values: Tensor) -> Tensor:
            return values if padding is None else values[:, :length]

        @tf.custom_gradient
        def compiled(z: Tensor, states: Tensors, weights: Tensors) -> Any:
            results = self.loop.train((lengthen(z), states, weights), length, masks)
            # Else a tape of higher order would follow the residuals back into XLA.
            (outputs, *last), saved = tf.nest.map_structure(tf.stop_gradient, results)

            @tf.custom_gradient
            def gradient(*gradients: Tensor) -> Any:
                # What gathers rows of a state has a sparse gradient, which no loop carries.
                d_outputs, *d_last = map(tf.convert_to_tensor, gradients)
                sequences = (lengthen(d_outputs), outputs, saved, masks)
                dz, d_states = self.loop.backward(
                    sequences, states[0], tuple(d_last), weights, length
                )
                dz = shorten(dz)
                by_row = tuple(shorten(swap_time_and_batch(array)) for array in saved)
                before = tf.concat([states[0][:, None], shorten(outputs)[:, :-1]], axis=1)
                d_weights = self.recurrence.weight_gradients(
                    merge_time_and_batch(dz),
                    tuple(map(merge_time_and_batch, by_row)),
                    merge_time_and_batch(before),
                )
                return (dz, *d_states, *d_weights), reject_second_order

            return (shorten(outputs), *last), gradient

        return compiled(*inputs)


@functools.cache
def recurrent_kernel(recurrence: str, units: int) -> RecurrentKernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, shared by all layers of so many units.

    Layers of other sizes have graphs of their own: a shared one would lose its static shapes.
    """
    del units
    return RecurrentKernel(RECURRENCES[recurrence]())
