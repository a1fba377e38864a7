"""The recurrences on TensorFlow and CPU.

Three things make them fast: the inputs of all steps are projected in one product before the loop;
in training, the loop back is written by hand and every weight gradient is formed in one product
after it; and in training both loops are compiled by XLA. XLA compiles anew for each shape, so where
the length can vary it is padded up to a few sizes; the loop itself stops at the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.loop import Loop, turn
from rnnpipe.layers.kernels.padding import merge, pad, padding_for, refuse_second_order
from rnnpipe.layers.kernels.recurrences import (
    GRURecurrence,
    LSTMRecurrence,
    Recurrence,
    Tensors,
    VanillaRecurrence,
)


def on_cpu() -> bool:
    """Whether TensorFlow has no other device than the CPU."""
    return not tf.config.list_logical_devices("GPU") and not tf.config.list_logical_devices("TPU")


class Kernel:
    """A recurrence as the layers call it; the package tells of the call's arguments.

    Args:
        recurrence: what a step does.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        self.loop = Loop(recurrence)
        graph = functools.partial(tf.function, autograph=False, reduce_retracing=True)
        self.infer = graph(self._infer)
        # A graph even where Keras runs eagerly: a tape cannot record through XLA.
        self.train = graph(self._train)

    def __call__(
        self, sequences: Any, mask: Any, weights: Any, states: Any, training: bool
    ) -> tuple[Any, list[Any]]:
        """Outputs `(batch, time, units)` and last states."""
        kernel, bias, *recurrent = weights
        z = tf.matmul(merge(sequences), kernel)
        if bias is not None:
            z = tf.nn.bias_add(z, bias)
        z = tf.reshape(z, (*tf.unstack(tf.shape(sequences)[:2]), z.shape[-1]))
        z = tf.ensure_shape(z, (*sequences.shape[:2], z.shape[-1]))
        masks = () if mask is None else (tf.transpose(mask)[:, :, None],)
        states, recurrent = (
            tuple(tf.convert_to_tensor(array) for array in arrays) for arrays in (states, recurrent)
        )
        inputs, eager = (z, states, recurrent), tf.executing_eagerly()
        if training:
            varies = eager or sequences.shape[1] is None
            outputs, *last = (self.train if eager else self._train)(inputs, masks, varies=varies)
        else:
            outputs, *last = (self.infer if eager else self._infer)(inputs, masks)
        return outputs, last

    def _infer(self, inputs: tuple[Any, Tensors, Tensors], masks: Tensors) -> Tensors:
        """Outputs and last states in plain TensorFlow, so that models can be exported."""
        run = functools.partial(self.loop.forward, masks=masks)

        @tf.custom_gradient
        def plain(*flat: Any) -> Any:
            def gradient(*d_found: Any) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(flat)
                    found = run(tf.nest.pack_sequence_as(inputs, flat), unstack=True)
                return tape.gradient(found, flat, d_found)

            return run(tf.nest.pack_sequence_as(inputs, flat), unstack=False), gradient

        return plain(*tf.nest.flatten(inputs))

    def _train(
        self, inputs: tuple[Any, Tensors, Tensors], masks: Tensors, *, varies: bool
    ) -> Tensors:
        """Outputs and last states, differentiable by `inputs`: z, first states, weights."""
        # A loop of so many steps as its inputs have is a little faster than one that is told.
        length = tf.shape(inputs[0])[1] if varies else None
        padding = padding_for(length) if varies else None
        masks = tuple(pad(mask, padding) for mask in masks)

        def lengthen(values: Any) -> Any:
            return pad(values, padding, axis=1)

        def shorten(values: Any) -> Any:
            return values if padding is None else values[:, :length]

        @tf.custom_gradient
        def compiled(z: Any, states: Tensors, weights: Tensors) -> Any:
            found = self.loop.train((lengthen(z), states, weights), length, masks)
            # Else a tape of higher order would follow what was saved back into XLA.
            (outputs, *last), saved = tf.nest.map_structure(tf.stop_gradient, found)

            @tf.custom_gradient
            def gradient(d_outputs: Any, *d_last: Any) -> Any:
                each = (lengthen(d_outputs), outputs, saved, masks)
                dz, d_states = self.loop.back(each, states[0], d_last, weights, length)
                dz, by_row = shorten(dz), tuple(shorten(turn(array)) for array in saved)
                before = tf.concat([states[0][:, None], shorten(outputs)[:, :-1]], axis=1)
                d_weights = self.recurrence.weight_gradients(
                    merge(dz), tuple(map(merge, by_row)), merge(before)
                )
                return (dz, *d_states, *d_weights), refuse_second_order

            return (shorten(outputs), *last), gradient

        return compiled(*inputs)


@functools.cache
def make_kernel(recurrence: str, units: int) -> Kernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, shared by all layers of so many units.

    Layers of other sizes have graphs of their own: one for all would not know its outputs' size.
    """
    del units
    kinds: dict[str, type[Recurrence]]
    kinds = {"lstm": LSTMRecurrence, "gru": GRURecurrence, "vanilla": VanillaRecurrence}
    return Kernel(kinds[recurrence]())
