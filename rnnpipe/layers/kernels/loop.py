"""A recurrence's loop over time and its loop back, in TensorFlow.

z is `(batch, time, gates * units)` and outputs `(batch, time, units)`; what is saved for the way
back is time-major, `(time, batch, units)`. `masks` is a tuple of one boolean `(time, batch, 1)`, or
empty. Steps from `length` on are not run and come back as zeros.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnnpipe.layers.kernels.recurrences import Recurrence, Tensors


class Loop:
    """A recurrence over all steps: `forward` plain, `train` and `back` compiled by XLA.

    Args:
        recurrence: what a step does.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        compiled = functools.partial(
            tf.function, jit_compile=True, autograph=False, reduce_retracing=True
        )
        self.train = compiled(self._train)
        self.back = compiled(self._back)

    def forward(
        self, inputs: tuple[Any, Tensors, Tensors], masks: Tensors, *, unstack: bool
    ) -> Tensors:
        """Runs all steps, in plain TensorFlow, and returns the outputs and the last states.

        Args:
            inputs: z, the first states, the recurrent weights.
            masks: where to run and where to pass the states on.
            unstack: whether steps are taken from a copy of z as an array. Without, a gradient costs
                the square of the length, since each step's is as large as z.
        """
        z, states, _ = inputs
        read = _array(turn(z)).read if unstack else functools.partial(tf.gather, z, axis=1)
        empty = tf.TensorArray(z.dtype, tf.shape(z)[1], element_shape=states[0].shape)

        def keep(t: Any, outputs: Any, h: Any, saved: Tensors) -> Any:
            del saved
            return outputs.write(t, h)

        # A loop that counts to a limit besides is a little slower; XLA needs one for a gradient.
        limit = tf.shape(z)[1] if unstack else None
        outputs, states = self._run(inputs, None, masks, read, keep, empty, limit)
        return turn(outputs.stack()), *states

    def _train(
        self, inputs: tuple[Any, Tensors, Tensors], length: Any, masks: Tensors
    ) -> tuple[Tensors, Tensors]:
        """The same under XLA, which writes outputs where they belong; and what was saved.

        `length` is how many steps to run, here and in `_back`; None is all of them.
        """
        z, states, _ = inputs
        steps = tf.shape(z)[1]
        # Rows of a whole step each: XLA copies short rows, of 64 units say, number by number.
        arrays = tuple(
            tf.TensorArray(z.dtype, steps, element_shape=(states[0].shape.num_elements(),))
            for _ in range(self.recurrence.saves)
        )

        def keep(t: Any, kept: Any, h: Any, saved: Tensors) -> Any:
            outputs, arrays = kept
            rows = tuple(tf.reshape(s, (-1,)) for s in saved)
            arrays = tuple(array.write(t, row) for array, row in zip(arrays, rows, strict=True))
            return _put(outputs, t, h), arrays

        read = functools.partial(tf.gather, z, axis=1)
        empty = (_blank(states[0], steps, states[0].shape[1]), arrays)
        (outputs, arrays), states = self._run(inputs, length, masks, read, keep, empty, steps)
        shape = (steps, *tf.unstack(tf.shape(states[0])))
        saved = tuple(
            tf.ensure_shape(tf.reshape(array.stack(), shape), (None, *states[0].shape))
            for array in arrays
        )
        return (outputs, *states), saved

    def _run(
        self,
        inputs: tuple[Any, Tensors, Tensors],
        length: Any,
        masks: Tensors,
        read: Callable[[Any], Any],
        keep: Callable[[Any, Any, Any, Tensors], Any],
        kept: Any,
        limit: Any,
    ) -> tuple[Any, Tensors]:
        """What was kept of the steps, and the last states."""
        z, states, weights = inputs
        length = tf.shape(z)[1] if length is None else length
        masks = tuple(_array(mask) for mask in masks)

        def step(t: Any, states: Tensors, kept: Any) -> tuple[Any, Tensors, Any]:
            new, saved = self.recurrence.forward(read(t), states, weights)
            for mask in masks:
                counts = mask.read(t)
                new = tuple(tf.where(counts, n, s) for n, s in zip(new, states, strict=True))
            return t + 1, _like(new, states), keep(t, kept, new[0], saved)

        _, states, kept = tf.while_loop(
            lambda t, *_: t < length,
            step,
            (tf.constant(0), states, kept),
            maximum_iterations=limit,
        )
        return kept, states

    def _back(
        self, each: Any, first: Any, d_states: Tensors, weights: Tensors, length: Any
    ) -> tuple[Any, Tensors]:
        """Gradients of z at all steps and of the first states.

        `each` has, for each step: the outputs' gradients, the outputs, what the way here saved, and
        the masks; `first` is the output before the first step.
        """
        d_outputs, outputs, *by_time = each
        turned = tf.transpose(weights[0])  # in the loop, XLA would do so at each step
        saved, masks = tf.nest.map_structure(_array, by_time)

        def step(t: Any, d_states: Tensors, written: Any) -> tuple[Any, Tensors, Any]:
            new = (d_states[0] + tf.gather(d_outputs, t, axis=1), *d_states[1:])
            passed = tuple(tf.zeros_like(d) for d in new)
            for mask in masks:
                counts = mask.read(t)
                passed = tuple(tf.where(counts, tf.zeros_like(d), d) for d in new)
                new = tuple(tf.where(counts, d, tf.zeros_like(d)) for d in new)
            values = tuple(array.read(t) for array in saved)
            before = tf.where(t > 0, tf.gather(outputs, tf.maximum(t - 1, 0), axis=1), first)
            dz, old = self.recurrence.backward(new, values, before, turned)
            old = tuple(o + p for o, p in zip(old, passed, strict=True))
            return t - 1, _like(old, d_states), _put(written, t, dz)

        steps = tf.shape(outputs)[1]
        length = steps if length is None else length
        _, d_states, written = tf.while_loop(
            lambda t, *_: t >= 0,
            step,
            (length - 1, d_states, _blank(first, steps, turned.shape[0])),
            maximum_iterations=steps,
        )
        return written, d_states


def _like(new: Tensors, old: Tensors) -> Tensors:
    """The new states; a graph may know the sizes of the old ones better than those of z."""
    for one, other in zip(new, old, strict=True):
        one.set_shape(other.shape)
    return new


def _blank(state: Any, steps: Any, size: int) -> Any:
    """Zeros `(batch, steps, size)`, for the rows of a state."""
    zeros = tf.zeros((tf.shape(state)[0], steps, size), state.dtype)
    return tf.ensure_shape(zeros, (state.shape[0], None, size))


def _put(whole: Any, t: Any, value: Any) -> Any:
    """The whole, `(batch, time, size)`, with a value at a step, in place where XLA compiles it."""
    put = keras.ops.slice_update(whole, tf.stack([0, t, 0]), value[:, None])
    return tf.ensure_shape(put, whole.shape)


def turn(values: Any) -> Any:
    """Time before batch, or the other way round."""
    return tf.transpose(values, (1, 0, 2))


def _array(values: Any) -> Any:
    return tf.TensorArray(values.dtype, tf.shape(values)[0]).unstack(values)
