"""The loop of a decoder over its words and the loop back, in TensorFlow.

All sequences are time-major, `(time, batch, ...)`. Steps from `length` on are not run and come back
as zeros. What the options do not use is an empty tuple.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from rnnpipe.layers.kernels.attending import AdditiveLook, Source
from rnnpipe.layers.kernels.recurrences import Recurrence, Tensors


class Weights(NamedTuple):
    """All weights that the loop reads."""

    recurrent: Tensors  # those of the recurrence
    fed: Any  # (fed, gates)
    look: tuple[Any, Any]  # those of the mechanism
    readout: Tensors  # (units, size), (context, size) and (size,), where the readout is fed


class Steps(NamedTuple):
    """What steps found, or gradients of it."""

    output: Any
    context: Any
    alignments: Any
    readout: Any


class Kept(NamedTuple):
    """What the way back needs of the steps."""

    found: Steps
    before: Any  # the output before
    saved: Tensors  # by the recurrence


class Slopes(NamedTuple):
    """Gradients at steps, of what is a product of weights there."""

    z: Any
    query: Any
    context: Any
    readout: Any  # before its tanh


class DecoderLoop:
    """All steps of a decoder: `forward` plain, `train` and `back` compiled by XLA.

    Args:
        recurrence: what the cell does in a step.
        before: whether it looks before the cell steps, and not after.
    """

    def __init__(self, recurrence: Recurrence, before: bool) -> None:
        self.recurrence, self.before, self.look = recurrence, before, AdditiveLook()
        compiled = functools.partial(
            tf.function, jit_compile=True, autograph=False, reduce_retracing=True
        )
        self.train = compiled(functools.partial(self.forward, save=True))
        self.back = compiled(self._back)

    def forward(
        self, z: Any, states: Tensors, source: Source, weights: Weights, length: Any, *, save: bool
    ) -> tuple[Steps, Tensors]:
        """What every step found, and what the recurrence saved of it, or nothing.

        Args:
            z: the projected words, `(time, batch, gates)`.
            states: the first states.
            source: what is looked at.
            weights: all weights.
            length: how many steps to run.
            save: whether to save anything.
        """
        words = _array(z)

        def run(t: Any, carried: Any, written: Any) -> tuple[Any, Any, Any]:
            carried, found, saved = self._step(words.read(t), carried, source, weights)
            return t + 1, carried, _write(written, t, (found, saved if save else ()))

        carried = (states, self._nothing_fed(states, weights))
        # Only the shapes of this are used, so that no graph computes it.
        _, found, saved = self._step(z[0], carried, source, weights)
        written = _arrays_for((found, saved if save else ()), words.size())
        *_, written = tf.while_loop(
            lambda t, *_: t < length,
            run,
            (tf.constant(0), carried, written),
            maximum_iterations=words.size(),
        )
        return tf.nest.map_structure(lambda array: array.stack(), written)

    def _step(
        self, gates: Any, carried: tuple[Tensors, Any], source: Source, weights: Weights
    ) -> tuple[tuple[Tensors, Any], Steps, Tensors]:
        """The states and what is fed onward, what was found, and what the recurrence saves."""
        states, fed = carried
        looked = self.look.forward(states[0], source, weights.look) if self.before else None
        if given(weights.fed):
            gates += tf.matmul(looked[0] if looked else fed, weights.fed)
        states, saved = self.recurrence.forward(gates, states, weights.recurrent)
        context, alignments = looked or self.look.forward(states[0], source, weights.look)
        readout: Any = ()
        if weights.readout:
            of_output, of_context, bias = weights.readout
            readout = tf.matmul(states[0], of_output) + tf.matmul(context, of_context)
            readout = tf.tanh(readout + bias)
        if given(fed):
            fed = readout if weights.readout else context
        return (states, fed), Steps(states[0], context, alignments, readout), saved

    def _back(
        self,
        kept: Kept,
        d_found: Steps,
        states: Tensors,
        source: Source,
        weights: Weights,
        length: Any,
    ) -> tuple[Slopes, Tensors, tuple[Any, Any]]:
        """Gradients at all steps; of the first states; of keys and score kernel, over all steps."""
        arrays = tf.nest.map_structure(_array, (kept, d_found))
        look = functools.partial(self.look.backward, source=source, weights=weights.look)
        turned = tf.nest.map_structure(tf.transpose, weights)  # in the loop, XLA does so each step

        def run(t: Any, carried: Any, sums: Any, written: Any) -> tuple[Any, Any, Any, Any]:
            here, d_here = tf.nest.map_structure(lambda array: array.read(t), arrays)
            carried, slopes, terms = self._step_back(here, d_here, carried, look, turned)
            sums = tuple(total + term for total, term in zip(sums, terms, strict=True))
            return t - 1, carried, sums, _write(written, t, slopes)

        d_states = tuple(tf.zeros_like(state) for state in states)
        carried = (d_states, self._nothing_fed(states, weights))
        sums = (tf.zeros_like(source.keys), tf.zeros_like(weights.look[1]))
        # Only the shapes of this are used, so that no graph computes it.
        here, d_here = tf.nest.map_structure(lambda values: values[0], (kept, d_found))
        _, slopes, _ = self._step_back(here, d_here, carried, look, turned)
        steps = tf.shape(kept.before)[0]
        _, (d_states, _), sums, written = tf.while_loop(
            lambda t, *_: t >= 0,
            run,
            (length - 1, carried, sums, _arrays_for(slopes, steps)),
            maximum_iterations=steps,
        )
        return tf.nest.map_structure(lambda array: array.stack(), written), d_states, sums

    def _step_back(
        self,
        here: Kept,
        d_here: Steps,
        carried: tuple[Tensors, Any],
        look: Callable[..., Tensors],
        turned: Weights,
    ) -> tuple[tuple[Tensors, Any], Slopes, tuple[Any, Any]]:
        """Gradients of states and what was fed; at this step; of keys and score kernel.

        `look` is the way back through a look, and `turned` has all weights transposed.
        """
        (dh, *d_rest), d_fed = carried
        dh += d_here.output
        d_context, d_readout = d_here.context, d_here.readout
        if turned.readout:
            d_readout = (d_readout + d_fed) * (1 - here.found.readout * here.found.readout)
            dh += tf.matmul(d_readout, turned.readout[0])
            d_context += tf.matmul(d_readout, turned.readout[1])
        elif given(d_fed):
            d_context += d_fed
        alignments = here.found.alignments
        if not self.before:
            d_looked = (d_context, d_here.alignments)
            d_query, *terms = look(d_looked, here.found.output, alignments)
            dh += tf.matmul(d_query, turned.look[0])
        dz, (dh, *d_rest) = self.recurrence.backward(
            (dh, *d_rest), here.saved, here.before, turned.recurrent[0]
        )
        if given(turned.fed):
            d_read = tf.matmul(dz, turned.fed)
            d_fed, d_context = ((), d_context + d_read) if self.before else (d_read, d_context)
        if self.before:
            d_looked = (d_context, d_here.alignments)
            d_query, *terms = look(d_looked, here.before, alignments)
            dh += tf.matmul(d_query, turned.look[0])
        slopes = Slopes(dz, d_query, d_context, d_readout)
        return ((dh, *d_rest), d_fed), slopes, tuple(terms)

    def _nothing_fed(self, states: Tensors, weights: Weights) -> Any:
        """Zeros for what is fed before the first look, if anything is ever fed."""
        if self.before or not given(weights.fed):
            return ()
        return tf.zeros((tf.shape(states[0])[0], weights.fed.shape[0]), states[0].dtype)


def given(tensor: Any) -> bool:
    """Whether this is a tensor, and not the empty tuple that stands for none."""
    return not isinstance(tensor, tuple)


def _array(values: Any) -> Any:
    return tf.TensorArray(values.dtype, tf.shape(values)[0]).unstack(values)


def _arrays_for(values: Any, steps: Any) -> Any:
    """An empty array of so many steps for each tensor of one step."""
    return tf.nest.map_structure(
        lambda value: tf.TensorArray(value.dtype, steps, element_shape=value.shape), values
    )


def _write(arrays: Any, t: Any, values: Any) -> Any:
    return tf.nest.map_structure(lambda array, value: array.write(t, value), arrays, values)
