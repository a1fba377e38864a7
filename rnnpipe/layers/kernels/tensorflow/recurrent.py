"""The recurrences, for TensorFlow on CPUs.

Three things make them fast: the inputs of all steps are projected in one product before the loop;
in training, the backward loop is written by hand and every weight gradient is one product after it;
and XLA compiles the loops, that of inference where the graph is for this process alone. It compiles
anew for each shape, so lengths that can vary are padded to a few sizes; the loop itself stops at
the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.compiled_shapes import MIN_UNITS, CompiledShapes
from rnnpipe.layers.kernels.tensorflow.graphs import may_compile
from rnnpipe.layers.kernels.tensorflow.kernel import Kernel, widen
from rnnpipe.layers.kernels.tensorflow.padding import (
    merge_first_axes,
    pad,
    padding_for,
    restore_shape,
)
from rnnpipe.layers.kernels.tensorflow.recurrences import RECURRENCES, Recurrence, Tensors
from rnnpipe.layers.kernels.tensorflow.recurrent_loop import (
    Inputs,
    RecurrentLoop,
    swap_time_and_batch,
)
from rnnpipe.layers.kernels.tensorflow.tapes import is_forward_mode, reject_second_order
from rnnpipe.types import Tensor

MIN_STEPS = 16
"""Below it a forward pass gains too little for what its compilation takes."""


class RecurrentKernel(Kernel):
    """A recurrence over time; `rnnpipe.layers.kernels` documents the call.

    Args:
        recurrence: one step.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        super().__init__()
        self.recurrence = recurrence
        self.loop = RecurrentLoop(recurrence)
        self.shapes = CompiledShapes()

    def __call__(
        self,
        sequences: Tensor,
        mask: Tensor | None,
        weights: Tensors,
        states: Tensors,
        training: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Outputs `(batch, time, units)` and last states, of the dtype of `sequences`.

        In half precision the inputs are projected so, and the loop computes in float32.
        """
        kernel, bias, *recurrent_weights = weights
        z = widen(tf.matmul(merge_first_axes(sequences), kernel))
        if bias is not None:
            z = tf.nn.bias_add(z, widen(bias))
        z = tf.reshape(z, (*tf.unstack(tf.shape(sequences)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*sequences.shape[:2], z.shape[-1]))
        masks = () if mask is None else (tf.transpose(mask)[:, :, None],)
        states, recurrent = widen(tuple(states)), widen(tuple(recurrent_weights))
        inputs, eager = (z, states, recurrent), tf.executing_eagerly()
        if training and not is_forward_mode(inputs):
            varies = eager or sequences.shape[1] is None
            outputs, *last = (self._train if eager else self.train)(inputs, masks, varies=varies)
        else:
            compiles = may_compile()
            infer = self.infer if eager or compiles else self._infer
            outputs, *last = infer(inputs, masks, compiles=compiles)
        for result, state in zip((outputs, *last), (states[0], *states), strict=True):
            restore_shape(result, (sequences.shape[0], *result.shape[1:]))
            restore_shape(result, (state.shape[0], *result.shape[1:-1], state.shape[-1]))
        restore_shape(outputs, (None, sequences.shape[1], None))
        return tf.cast(outputs, sequences.dtype), [tf.cast(s, sequences.dtype) for s in last]

    def _infer(self, inputs: Inputs, masks: Tensors, *, compiles: bool) -> Tensors:
        """Outputs and last states; in plain TensorFlow, so that models export, or compiled."""
        run = functools.partial(self.loop.forward, masks=masks)

        @tf.custom_gradient
        def forward(*flat: Tensor) -> Any:
            def gradient(*d_outputs: Tensor) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(flat)
                    outputs = run(tf.nest.pack_sequence_as(inputs, flat), unstack=True)
                return tape.gradient(outputs, flat, d_outputs)

            packed = tf.nest.pack_sequence_as(inputs, flat)
            if compiles:
                return self._choose(packed, masks), gradient
            return run(packed, unstack=False), gradient

        return forward(*tf.nest.flatten(inputs))

    def _choose(self, inputs: Inputs, masks: Tensors) -> Tensors:
        """Outputs and last states, compiled where that pays."""
        z, (h, *_), _ = inputs
        batch, steps = (size or tf.shape(z)[axis] for axis, size in enumerate(z.shape[:2]))

        def compiled() -> Tensors:
            length, padding = _padding(z, not isinstance(steps, int))
            padded = (pad(z, padding, axis=1), *inputs[1:])
            outputs, *last = self.loop.infer(
                padded, length, tuple(pad(mask, padding) for mask in masks)
            )
            return (_shorten(outputs, length), *last)

        def plain() -> Tensors:
            return self.loop.forward(inputs, masks, unstack=False)

        pays = h.shape[1] >= MIN_UNITS and steps >= MIN_STEPS
        return self.shapes.choose(batch, (steps,), pays, compiled, plain)

    def _train(self, inputs: Inputs, masks: Tensors, *, varies: bool) -> Tensors:
        """Outputs and last states, differentiable by `inputs`: z, first states, weights."""
        forward, backward = self.loops(varies)

        @tf.custom_gradient
        def compiled(z: Tensor, states: Tensors, weights: Tensors) -> Any:
            inputs = (z, states, weights)
            # Else a tape of higher order would follow the residuals back into XLA.
            results, residuals = tf.nest.map_structure(tf.stop_gradient, forward(inputs, masks))

            @tf.custom_gradient
            def gradient(*d_results: Tensor) -> Any:
                # What gathers rows of a state has a sparse gradient, which no loop carries.
                d_results = tuple(map(tf.convert_to_tensor, d_results))
                d_inputs = backward(d_results, inputs, residuals, masks)
                return d_inputs, reject_second_order

            return results, gradient

        return compiled(*inputs)

    def _forward(
        self, inputs: Inputs, masks: Tensors, *, varies: bool
    ) -> tuple[Tensors, tuple[Tensor, Tensors]]:
        """Outputs and last states; and the residuals: padded outputs, and what the loop saved."""
        z, states, weights = inputs
        length, padding = _padding(z, varies)
        masks = tuple(pad(mask, padding) for mask in masks)
        (outputs, *last), saved = self.loop.train(
            (pad(z, padding, axis=1), states, weights), length, masks
        )
        return (_shorten(outputs, length), *last), (outputs, saved)

    def _backward(
        self,
        d_results: Tensors,
        inputs: Inputs,
        residuals: tuple[Tensor, Tensors],
        masks: Tensors,
        *,
        varies: bool,
    ) -> Tensors:
        """Gradients of `inputs`, flat."""
        (z, states, weights), (outputs, saved), (d_outputs, *d_last) = inputs, residuals, d_results
        length, padding = _padding(z, varies)
        masks = tuple(pad(mask, padding) for mask in masks)
        sequences = (pad(d_outputs, padding, axis=1), outputs, saved, masks)
        dz, d_states = self.loop.backward(sequences, states[0], tuple(d_last), weights, length)
        dz = _shorten(dz, length)
        by_row = tuple(_shorten(swap_time_and_batch(array), length) for array in saved)
        before = tf.concat([states[0][:, None], _shorten(outputs, length)[:, :-1]], axis=1)
        d_weights = self.recurrence.weight_gradients(
            merge_first_axes(dz),
            tuple(map(merge_first_axes, by_row)),
            merge_first_axes(before),
        )
        return (dz, *d_states, *d_weights)


def _padding(z: Tensor, varies: bool) -> tuple[Tensor | None, Tensor | None]:
    """The length and the steps to add to it, or None for both if it does not vary.

    A loop over all steps of its inputs is a little faster than one to a given length.
    """
    if not varies:
        return None, None
    length = tf.shape(z)[1]
    return length, padding_for(length)


def _shorten(values: Tensor, length: Tensor | None) -> Tensor:
    return values if length is None else values[:, :length]


@functools.cache
def recurrent_kernel(recurrence: str, units: int) -> RecurrentKernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, shared by all layers of so many units.

    Layers of other sizes have graphs of their own: a shared one would lose its static shapes.
    """
    del units
    return RecurrentKernel(RECURRENCES[recurrence]())
