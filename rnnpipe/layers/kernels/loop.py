"""A recurrence's loop over time and its loop back, in TensorFlow.

Everything here is time-major: z `(time, batch, gates * units)`, outputs `(time, batch, units)`.
`masks` is a tuple of one boolean `(time, batch, 1)`, or empty. Steps from `length` on are not run
and come back as zeros.
"""

import functools
from typing import Any

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
        self.train = compiled(functools.partial(self.forward, save=True))
        self.back = compiled(self._back)

    def forward(
        self,
        inputs: tuple[Any, Tensors, Tensors],
        length: Any,
        masks: Tensors,
        *,
        save: bool,
        unstack: bool = True,
    ) -> tuple[Tensors, Tensors]:
        """Runs all steps, in plain TensorFlow.

        Args:
            inputs: z, the first states, the recurrent weights.
            length: how many steps to run.
            masks: where to run and where to pass the states on.
            save: whether to keep what `back` needs.
            unstack: whether steps are taken from a copy of z as an array. Without, a gradient costs
                the square of the length, since each step's is as large as z.

        Returns:
            The outputs and the last states; what was kept of each step, or nothing.
        """
        z, states, weights = inputs
        steps, masks = tf.shape(z)[0], tuple(_array(mask) for mask in masks)
        read = _array(z).read if unstack else functools.partial(tf.gather, z)

        def step(t: Any, states: Tensors, written: Tensors) -> tuple[Any, Tensors, Tensors]:
            new, saved = self.recurrence.forward(read(t), states, weights)
            for mask in masks:
                counts = mask.read(t)
                new = tuple(tf.where(counts, n, s) for n, s in zip(new, states, strict=True))
            values = (new[0], *saved) if save else new[:1]
            written = tuple(a.write(t, v) for a, v in zip(written, values, strict=True))
            return t + 1, new, written

        empty = tuple(
            tf.TensorArray(states[0].dtype, steps, element_shape=states[0].shape)
            for _ in range(1 + self.recurrence.saves if save else 1)
        )
        _, states, written = tf.while_loop(
            lambda t, *_: t < length,
            step,
            (tf.constant(0), states, empty),
            maximum_iterations=steps,
        )
        outputs, *saved = (array.stack() for array in written)
        return (outputs, *states), tuple(saved)

    def _back(
        self, each: Tensors, first: Any, d_states: Tensors, weights: Tensors, length: Any
    ) -> tuple[Any, Tensors]:
        """Gradients of z at all steps and of the first states.

        `each` has, for each step: the outputs' gradients, the outputs, what `forward` saved, and
        the masks; `first` is the output before the first step.
        """
        d_outputs, outputs, saved, masks = tf.nest.map_structure(_array, each)

        def step(t: Any, d_states: Tensors, written: Any) -> tuple[Any, Tensors, Any]:
            new = (d_states[0] + d_outputs.read(t), *d_states[1:])
            passed = tuple(tf.zeros_like(d) for d in new)
            for mask in masks:
                counts = mask.read(t)
                passed = tuple(tf.where(counts, tf.zeros_like(d), d) for d in new)
                new = tuple(tf.where(counts, d, tf.zeros_like(d)) for d in new)
            values = tuple(array.read(t) for array in saved)
            before = tf.where(t > 0, outputs.read(tf.maximum(t - 1, 0)), first)
            dz, old = self.recurrence.backward(new, values, before, weights)
            old = tuple(o + p for o, p in zip(old, passed, strict=True))
            return t - 1, old, written.write(t, dz)

        shape = (d_states[0].shape[0], weights[0].shape[1])
        empty = tf.TensorArray(d_states[0].dtype, outputs.size(), element_shape=shape)
        _, d_states, written = tf.while_loop(
            lambda t, *_: t >= 0,
            step,
            (length - 1, d_states, empty),
            maximum_iterations=outputs.size(),
        )
        return written.stack(), d_states


def _array(values: Any) -> Any:
    return tf.TensorArray(values.dtype, tf.shape(values)[0]).unstack(values)
