"""The recurrences in JAX: a scan in which masks select, and in training a backward pass by hand.

JAX's own gradient of a scan adds up the gradients of all weights in each step and saves what every
operation needs; by hand, every weight gradient is one product after the backward scan, and little
more than the gates is saved. A forward pass projects the inputs inside of the scan, but for so few
rows that one product of all steps at once is faster than one for each.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from keras import ops

from rnnpipe.layers.kernels.jax.recurrences import RECURRENCES, Recurrence, Tensors
from rnnpipe.types import Tensor

MIN_ROWS = 8
"""From so many rows on, the inputs of each step are projected in the scan.

A product of fewer rows reads the weights for little arithmetic; of more, it is as fast as one of
all steps, whose result would first go to memory.
"""

_HALVES = (jnp.bfloat16, jnp.float16)

Inputs: TypeAlias = tuple[Tensor, Tensors, Tensors, Tensors]
"""Sequences `(time, batch, features)`, the input kernel with its bias if it has one, the recurrent
weights, and the first states."""


class RecurrentKernel:
    """A recurrence over time; `rnnpipe.layers.kernels` documents the call.

    Without `training` JAX differentiates the scan itself, in any mode and to any order; with it,
    gradients are of reverse mode.

    Args:
        recurrence: one step.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        # In eager execution, a scan would else be compiled anew in each call.
        self._compiled = jax.jit(self._run, static_argnames="training")
        self._train = jax.custom_vjp(self._infer)
        self._train.defvjp(self._forward, self._backward)

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
        kernel, bias, *recurrent = weights
        projection = (kernel,) if bias is None else (kernel, bias)
        arrays = jax.tree.map(
            ops.convert_to_tensor, (sequences, projection, tuple(recurrent), tuple(states))
        )
        outputs, last = self._compiled(arrays, mask, training=training)
        return outputs, list(last)

    def _run(
        self, inputs: Inputs, mask: Tensor | None, *, training: bool
    ) -> tuple[Tensor, Tensors]:
        """The call, with time and batch swapped, in float32 at least."""
        sequences, projection, *others = inputs
        recurrent, states = _widen(others)
        by_time = (sequences.swapaxes(0, 1), projection, recurrent, states)
        masks = None if mask is None else mask.T[:, :, None]
        outputs, last = (self._train if training else self._infer)(by_time, masks)
        outputs, last = jax.tree.map(lambda x: x.astype(sequences.dtype), (outputs, last))
        return outputs.swapaxes(0, 1), last

    def _infer(self, inputs: Inputs, masks: Tensor | None) -> tuple[Tensor, Tensors]:
        """Outputs by time and last states."""
        return self._scan(inputs, masks)[:2]

    def _forward(self, inputs: Inputs, masks: Tensor | None) -> tuple[Any, Any]:
        """The same, and the residuals."""
        outputs, last, saved = self._scan(inputs, masks)
        return (outputs, last), (inputs, masks, outputs, saved)

    def _scan(self, inputs: Inputs, masks: Tensor | None) -> tuple[Tensor, Tensors, Tensors]:
        """Outputs by time, last states, and what all steps save."""
        sequences, projection, recurrent, states = inputs
        rows = sequences.shape[1]
        in_scan = not isinstance(rows, int) or rows >= MIN_ROWS  # else symbolic
        steps = sequences if in_scan else _project(sequences, *projection)

        def step(states: Tensors, now: tuple[Tensor, Tensor | None]) -> tuple[Tensors, Any]:
            z, unmasked = now
            z = _project(z, *projection) if in_scan else z
            new, saved = self.recurrence.forward(z, states, recurrent)
            if unmasked is not None:
                new = tuple(jnp.where(unmasked, n, s) for n, s in zip(new, states, strict=True))
            return new, (new[0], saved)

        last, (outputs, saved) = jax.lax.scan(step, states, (steps, masks))
        return outputs, last, saved

    def _backward(self, residuals: Any, d_results: Any) -> tuple[Inputs, None]:
        """Gradients of the inputs."""
        (sequences, projection, recurrent, states), masks, outputs, saved = residuals
        d_outputs, d_last = d_results
        transposed = recurrent[0].T
        before = jnp.concatenate([states[0][None], outputs[:-1]])

        def step(d_states: Tensors, now: Any) -> tuple[Tensors, Tensor]:
            d_output, saved, before, unmasked = now
            d_new = (d_states[0] + d_output, *d_states[1:])
            if unmasked is None:
                dz, d_old = self.recurrence.backward(d_new, saved, before, transposed)
                return d_old, dz
            here = tuple(jnp.where(unmasked, d, 0) for d in d_new)
            dz, d_old = self.recurrence.backward(here, saved, before, transposed)
            passed = (jnp.where(unmasked, 0, d) for d in d_new)
            return tuple(d + p for d, p in zip(d_old, passed, strict=True)), dz

        d_states, dz = jax.lax.scan(step, d_last, (d_outputs, saved, before, masks), reverse=True)
        d_recurrent = self.recurrence.weight_gradients(dz, saved, before)
        _, pull_back = jax.vjp(_project, sequences, *projection)
        d_sequences, *d_projection = pull_back(dz)
        return (d_sequences, tuple(d_projection), d_recurrent, d_states), None


def _project(sequences: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """The input projection, of one step or of all."""
    z: Tensor = _widen(sequences @ kernel)
    return z if bias is None else z + _widen(bias)


def _widen(values: Any) -> Any:
    """Arrays of half precision as float32, in which loops add up; all others as they are."""

    def cast(value: Tensor) -> Tensor:
        return value.astype(jnp.float32) if value.dtype in _HALVES else value

    return jax.tree.map(cast, values)


_KERNELS = {name: RecurrentKernel(recurrence()) for name, recurrence in RECURRENCES.items()}


def recurrent_kernel(recurrence: str, units: int) -> RecurrentKernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, which serves any number of units."""
    del units
    return _KERNELS[recurrence]
