"""The loop of a decoder over its words and the backward loop, in TensorFlow.

All sequences are time-major, `(time, batch, ...)`. Steps from `length` on are not run and come back
as zeros. Tensors that the options do not need are empty tuples.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.additive_attention import AdditiveAttentionStep, Memory
from rnnpipe.layers.kernels.tensorflow.recurrences import Recurrence, Tensors
from rnnpipe.types import Nested, Tensor


class Weights(NamedTuple):
    """All weights that the loop reads."""

    recurrent: Tensors  # those of the recurrence
    input_feed: Tensor  # (input_feed_size, gates)
    attention: tuple[Tensor, Tensor]  # those of the mechanism
    readout: Tensors  # (units, size), (context, size) and (size,), if the next step reads it


class StepOutputs(NamedTuple):
    """The outputs of steps, or gradients of them."""

    output: Tensor
    context: Tensor
    alignments: Tensor
    readout: Tensor


class Residuals(NamedTuple):
    """What the forward pass saves for the backward pass."""

    outputs: StepOutputs
    previous_output: Tensor
    saved: Tensors  # by the recurrence


class StepGradients(NamedTuple):
    """Gradients at steps, of all that is a product with weights there."""

    z: Tensor
    query: Tensor
    context: Tensor
    readout: Tensor  # before its tanh


Carry: TypeAlias = tuple[Tensors, Tensor]
"""The states of the cell and the input feed; backward, their gradients."""


class DecoderLoop:
    """All steps of a decoder: `forward` plain, `train` and `backward` compiled by XLA.

    A subclass has the equations of a paper: a step, its gradients, and what the step read.

    Args:
        recurrence: the step of the recurrent cell.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence, self.attention = recurrence, AdditiveAttentionStep()
        compiled = functools.partial(
            tf.function, jit_compile=True, autograph=False, reduce_retracing=True
        )
        self.train = compiled(functools.partial(self.forward, save=True))
        self.backward = compiled(self._backward)

    def step(
        self, z: Tensor, carry: Carry, memory: Memory, weights: Weights
    ) -> tuple[Carry, StepOutputs, Tensors]:
        """The next carry, the outputs, and what the recurrence saves."""
        raise NotImplementedError

    def step_backward(
        self,
        residuals: Residuals,
        d_outputs: StepOutputs,
        d_carry: Carry,
        attention_backward: Callable[..., Tensors],
        transposed: Weights,
    ) -> tuple[Carry, StepGradients, Tensors]:
        """Gradients of the carry before the step; at the step; of keys and score kernel.

        `transposed` has all weights transposed.
        """
        raise NotImplementedError

    def first_feed(self, states: Tensors, weights: Weights) -> Tensor:
        """The input feed before the first step."""
        raise NotImplementedError

    def fed_inputs(self, outputs: StepOutputs) -> Tensor:
        """What each step read beside its word, `(time, batch, input_feed_size)`."""
        raise NotImplementedError

    def queries(self, residuals: Residuals) -> Tensor:
        """The query of each step, `(time, batch, units)`."""
        raise NotImplementedError

    def forward(
        self,
        z: Tensor,
        states: Tensors,
        memory: Memory,
        weights: Weights,
        length: Tensor,
        *,
        save: bool,
    ) -> tuple[StepOutputs, Tensors]:
        """The outputs of every step, and what the recurrence saved of it, or nothing.

        Args:
            z: the projected words, `(time, batch, gates)`.
            states: the first states.
            memory: what the attention reads.
            weights: all weights.
            length: how many steps to run.
            save: whether to save anything for the backward pass.
        """
        words = _unstack(z)

        def run(t: Tensor, carry: Carry, arrays: Any) -> tuple[Tensor, Carry, Any]:
            carry, outputs, saved = self.step(words.read(t), carry, memory, weights)
            return t + 1, carry, _write(arrays, t, (outputs, saved if save else ()))

        carry = (states, self.first_feed(states, weights))
        # Only the shapes of this are used, so that no graph computes it.
        _, outputs, saved = self.step(z[0], carry, memory, weights)
        arrays = _arrays_for((outputs, saved if save else ()), words.size())
        *_, arrays = tf.while_loop(
            lambda t, *_: t < length,
            run,
            (tf.constant(0), carry, arrays),
            maximum_iterations=words.size(),
        )
        return tf.nest.map_structure(lambda array: array.stack(), arrays)

    def _backward(
        self,
        residuals: Residuals,
        d_outputs: StepOutputs,
        states: Tensors,
        memory: Memory,
        weights: Weights,
        length: Tensor,
    ) -> tuple[StepGradients, Tensors, Tensors]:
        """Gradients at all steps; of the first states; of keys and score kernel, summed."""
        arrays = tf.nest.map_structure(_unstack, (residuals, d_outputs))
        attention_backward = functools.partial(
            self.attention.backward, memory=memory, weights=weights.attention
        )
        # Inside the loop, XLA would transpose them at each step.
        transposed = tf.nest.map_structure(tf.transpose, weights)

        def run(t: Tensor, d_carry: Carry, sums: Tensors, written: Any) -> tuple[Any, ...]:
            here, d_here = tf.nest.map_structure(lambda array: array.read(t), arrays)
            d_carry, gradients, terms = self.step_backward(
                here, d_here, d_carry, attention_backward, transposed
            )
            sums = tuple(total + term for total, term in zip(sums, terms, strict=True))
            return t - 1, d_carry, sums, _write(written, t, gradients)

        d_states = tuple(tf.zeros_like(state) for state in states)
        d_carry = (d_states, self.first_feed(states, weights))
        sums = (tf.zeros_like(memory.keys), tf.zeros_like(weights.attention[1]))
        # Only the shapes of this are used, so that no graph computes it.
        here, d_here = tf.nest.map_structure(lambda values: values[0], (residuals, d_outputs))
        _, gradients, _ = self.step_backward(here, d_here, d_carry, attention_backward, transposed)
        steps = tf.shape(residuals.previous_output)[0]
        _, (d_states, _), sums, written = tf.while_loop(
            lambda t, *_: t >= 0,
            run,
            (length - 1, d_carry, sums, _arrays_for(gradients, steps)),
            maximum_iterations=steps,
        )
        return tf.nest.map_structure(lambda array: array.stack(), written), d_states, sums


def _unstack(values: Tensor) -> Any:
    return tf.TensorArray(values.dtype, tf.shape(values)[0]).unstack(values)


def _arrays_for(values: Nested[Tensor], steps: Tensor) -> Any:
    """An empty array of so many steps for each tensor of one step."""
    return tf.nest.map_structure(
        lambda value: tf.TensorArray(value.dtype, steps, element_shape=value.shape), values
    )


def _write(arrays: Any, t: Tensor, values: Nested[Tensor]) -> Any:
    return tf.nest.map_structure(lambda array, value: array.write(t, value), arrays, values)
