"""The loop of a recurrence over time and the backward loop, in TensorFlow.

z is `(batch, time, gates * units)` and outputs `(batch, time, units)`; what the forward pass saves
is time-major, `(time, batch, units)`. `masks` is a tuple of one boolean `(time, batch, 1)`, or
empty. Steps from `length` on are not run and come back as zeros.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.recurrences import Recurrence, Tensors
from rnnpipe.types import Tensor

Inputs: TypeAlias = tuple[Tensor, Tensors, Tensors]
"""z, the first states and the recurrent weights."""


class RecurrentLoop:
    """A recurrence over all steps: `forward` plain, `infer`, `train`, `backward` compiled by XLA.

    Args:
        recurrence: one step.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        compiled = functools.partial(
            tf.function, jit_compile=True, autograph=False, reduce_retracing=True
        )
        self.infer = compiled(self._infer)
        self.train = compiled(self._train)
        self.backward = compiled(self._backward)

    def forward(self, inputs: Inputs, masks: Tensors, *, unstack: bool) -> Tensors:
        """Runs all steps, in plain TensorFlow, and returns the outputs and the last states.

        Args:
            inputs: z, the first states, the recurrent weights.
            masks: where to run and where to pass the states on.
            unstack: whether steps are taken from a copy of z as an array. Without, a gradient costs
                the square of the length, since each step's is as large as z.
        """
        z, states, _ = inputs
        read = (
            _unstack(swap_time_and_batch(z)).read
            if unstack
            else functools.partial(tf.gather, z, axis=1)
        )
        empty = tf.TensorArray(z.dtype, tf.shape(z)[1], element_shape=states[0].shape)

        def write(t: Tensor, outputs: Any, h: Tensor, saved: Tensors) -> Any:
            del saved
            return outputs.write(t, h)

        # A loop that counts to a limit besides is a little slower; XLA needs one for a gradient.
        limit = tf.shape(z)[1] if unstack else None
        outputs, states = self._run(inputs, None, masks, read, write, empty, limit, compiled=False)
        return swap_time_and_batch(outputs.stack()), *states

    def _infer(self, inputs: Inputs, length: Tensor | None, masks: Tensors) -> Tensors:
        """The same under XLA, which writes outputs in place.

        `length` is the number of steps to run, here, in `_train` and in `_backward`; None is all
        of them. A round of the loop has the second half of a step and the first of the next: XLA
        computes anew for each use whatever the loop does not carry.
        """
        z, states, weights = inputs
        steps = tf.shape(z)[1]
        last = (steps if length is None else length) - 1
        masks = tuple(_unstack(mask) for mask in masks)

        def begin(t: Tensor, states: Tensors) -> Tensors:
            step_z = tf.gather(z, t, axis=1)
            return self.recurrence.gates(step_z, states, weights, compiled=True)

        def finish(
            t: Tensor, gates: Tensors, states: Tensors, outputs: Tensor
        ) -> tuple[Tensors, Tensor]:
            new = self.recurrence.update(gates, states)
            for mask in masks:
                unmasked = mask.read(t)
                new = tuple(tf.where(unmasked, n, s) for n, s in zip(new, states, strict=True))
            return _like(new, states), _put(outputs, t, new[0])

        def step(t: Tensor, gates: Tensors, states: Tensors, outputs: Tensor) -> tuple[Any, ...]:
            states, outputs = finish(t, gates, states, outputs)
            return t + 1, _like(begin(t + 1, states), gates), states, outputs

        first = begin(tf.constant(0), states)
        empty = _zeros(states[0], steps, states[0].shape[1])
        t, gates, states, outputs = tf.while_loop(
            lambda t, *_: t < last,
            step,
            (tf.constant(0), first, states, empty),
            maximum_iterations=steps,
        )
        states, outputs = finish(t, gates, states, outputs)
        return outputs, *states

    def _train(
        self, inputs: Inputs, length: Tensor | None, masks: Tensors
    ) -> tuple[Tensors, Tensors]:
        """The same under XLA; and the residuals."""
        z, states, _ = inputs
        steps = tf.shape(z)[1]
        # Rows of a whole step each: XLA copies short rows, of 64 units say, number by number.
        arrays = tuple(
            tf.TensorArray(z.dtype, steps, element_shape=(states[0].shape.num_elements(),))
            for _ in range(self.recurrence.saves)
        )

        def write(t: Tensor, written: Any, h: Tensor, saved: Tensors) -> Any:
            outputs, arrays = written
            rows = tuple(tf.reshape(s, (-1,)) for s in saved)
            arrays = tuple(array.write(t, row) for array, row in zip(arrays, rows, strict=True))
            return _put(outputs, t, h), arrays

        read = functools.partial(tf.gather, z, axis=1)
        empty = (_zeros(states[0], steps, states[0].shape[1]), arrays)
        (outputs, arrays), states = self._run(
            inputs, length, masks, read, write, empty, steps, compiled=True
        )
        shape = (steps, *tf.unstack(tf.shape(states[0])))
        saved = tuple(
            tf.ensure_shape(tf.reshape(array.stack(), shape), (None, *states[0].shape))
            for array in arrays
        )
        return (outputs, *states), saved

    def _run(
        self,
        inputs: Inputs,
        length: Tensor | None,
        masks: Tensors,
        read: Callable[[Tensor], Tensor],
        write: Callable[[Tensor, Any, Tensor, Tensors], Any],
        written: Any,
        limit: Tensor | None,
        *,
        compiled: bool,
    ) -> tuple[Any, Tensors]:
        """What `write` has written at all steps, and the last states."""
        z, states, weights = inputs
        length = tf.shape(z)[1] if length is None else length
        masks = tuple(_unstack(mask) for mask in masks)

        def step(t: Tensor, states: Tensors, written: Any) -> tuple[Tensor, Tensors, Any]:
            new, saved = self.recurrence.forward(read(t), states, weights, compiled=compiled)
            for mask in masks:
                unmasked = mask.read(t)
                new = tuple(tf.where(unmasked, n, s) for n, s in zip(new, states, strict=True))
            return t + 1, _like(new, states), write(t, written, new[0], saved)

        _, states, written = tf.while_loop(
            lambda t, *_: t < length,
            step,
            (tf.constant(0), states, written),
            maximum_iterations=limit,
        )
        return written, states

    def _backward(
        self,
        sequences: Any,
        first: Tensor,
        d_states: Tensors,
        weights: Tensors,
        length: Tensor | None,
    ) -> tuple[Tensor, Tensors]:
        """Gradients of z at all steps and of the first states.

        `sequences` are the gradients of the outputs, the outputs, what the forward pass saved, and
        the masks; `first` is the output before the first step.
        """
        d_outputs, outputs, *by_time = sequences
        transposed = tf.transpose(weights[0])  # in the loop, XLA would do so at each step
        saved, masks = tf.nest.map_structure(_unstack, by_time)

        def step(t: Tensor, d_states: Tensors, written: Tensor) -> tuple[Tensor, Tensors, Tensor]:
            new = (d_states[0] + tf.gather(d_outputs, t, axis=1), *d_states[1:])
            passed = tuple(tf.zeros_like(d) for d in new)
            for mask in masks:
                unmasked = mask.read(t)
                passed = tuple(tf.where(unmasked, tf.zeros_like(d), d) for d in new)
                new = tuple(tf.where(unmasked, d, tf.zeros_like(d)) for d in new)
            values = tuple(array.read(t) for array in saved)
            before = tf.where(t > 0, tf.gather(outputs, tf.maximum(t - 1, 0), axis=1), first)
            dz, old = self.recurrence.backward(new, values, before, transposed)
            old = tuple(o + p for o, p in zip(old, passed, strict=True))
            return t - 1, _like(old, d_states), _put(written, t, dz)

        steps = tf.shape(outputs)[1]
        length = steps if length is None else length
        _, d_states, written = tf.while_loop(
            lambda t, *_: t >= 0,
            step,
            (length - 1, d_states, _zeros(first, steps, transposed.shape[0])),
            maximum_iterations=steps,
        )
        return written, d_states


def _like(new: Tensors, old: Tensors) -> Tensors:
    """The new states; a graph may know the sizes of the old ones better than those of z."""
    for state, previous in zip(new, old, strict=True):
        state.set_shape(previous.shape)
    return new


def _zeros(state: Tensor, steps: Tensor, size: int) -> Tensor:
    """Zeros `(batch, steps, size)`, for the rows of a state."""
    zeros = tf.zeros((tf.shape(state)[0], steps, size), state.dtype)
    return tf.ensure_shape(zeros, (state.shape[0], None, size))


def _put(sequence: Tensor, t: Tensor, value: Tensor) -> Tensor:
    """Sets one step of `(batch, time, size)`, in place where XLA compiles it."""
    updated = keras.ops.slice_update(sequence, tf.stack([0, t, 0]), value[:, None])
    return tf.ensure_shape(updated, sequence.shape)


def swap_time_and_batch(values: Tensor) -> Tensor:
    """Batch-major to time-major, or back."""
    return tf.transpose(values, (1, 0, 2))


def _unstack(values: Tensor) -> Any:
    return tf.TensorArray(values.dtype, tf.shape(values)[0]).unstack(values)
