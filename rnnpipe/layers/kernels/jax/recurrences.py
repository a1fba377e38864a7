"""One step of each recurrence, forward and backward by hand, in JAX.

`z` is the input projection of the step, gates side by side as in Keras; `states[0]` is the output.
States and all that is saved for the backward pass are `(batch, units)`.
"""

from typing import Protocol, TypeAlias

import jax
import jax.numpy as jnp

from rnnpipe.types import Tensor

Tensors: TypeAlias = tuple[Tensor, ...]


class Recurrence(Protocol):
    """One step of a recurrence."""

    def forward(self, z: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """New states, and what `backward` needs of this step."""

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of `z` and of the states before the step.

        `h` is the output before the step, `transposed` the recurrent kernel, transposed.
        """

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradients of `weights`, of all steps at once; all arguments are `(time, batch, ...)`."""


class LSTMRecurrence:
    """Gates i, f, g, o; weights: the recurrent kernel."""

    def forward(self, z: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """One step; saves the gates, the cell before it, and tanh of the cell after it."""
        h, c = states
        i, f, g, o = jnp.split(z + h @ weights[0], 4, axis=-1)
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        new_c = f * c + i * g
        tanh_c = jnp.tanh(new_c)
        return (o * tanh_c, new_c), (i, f, g, o, c, tanh_c)

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        del h
        dh, dc = d_states
        i, f, g, o, c, tanh_c = saved
        dc += dh * o * (1 - tanh_c * tanh_c)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g)
        dz = jnp.concatenate([di, df, dg, dh * tanh_c * o * (1 - o)], axis=-1)
        return dz, (dz @ transposed, dc * f)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradient of the recurrent kernel."""
        del saved
        return (sum_of_products(h, dz),)


class GRURecurrence:
    """Gates z, r, candidate, reset after the product; weights: recurrent kernel and bias."""

    def forward(self, z: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """One step; saves the gates, the candidate and its recurrent part."""
        (h,) = states
        units = h.shape[-1]
        inner = h @ weights[0] + weights[1]
        inner_g = inner[..., 2 * units :]
        gates = jax.nn.sigmoid(z[..., : 2 * units] + inner[..., : 2 * units])
        update, reset = jnp.split(gates, 2, axis=-1)
        candidate = jnp.tanh(z[..., 2 * units :] + reset * inner_g)
        new_h = update * h + (1 - update) * candidate
        return (new_h,), (update, reset, candidate, inner_g)

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        (dh,) = d_states
        update, reset, candidate, inner_g = saved
        d_candidate = dh * (1 - update) * (1 - candidate * candidate)
        d_update = dh * (h - candidate) * update * (1 - update)
        d_reset = d_candidate * inner_g * reset * (1 - reset)
        inner = jnp.concatenate([d_update, d_reset, d_candidate * reset], axis=-1)
        dz = jnp.concatenate([d_update, d_reset, d_candidate], axis=-1)
        return dz, (dh * update + inner @ transposed,)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradients of the recurrent kernel and bias."""
        d_gates, d_candidate = jnp.split(dz, (2 * h.shape[-1],), axis=-1)
        inner = jnp.concatenate([d_gates, d_candidate * saved[1]], axis=-1)
        return sum_of_products(h, inner), inner.sum((0, 1))


class VanillaRecurrence:
    """tanh of the sum; weights: the recurrent kernel."""

    def forward(self, z: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """One step; saves its output."""
        h = (jnp.tanh(z + states[0] @ weights[0]),)
        return h, h

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        del h
        dz = d_states[0] * (1 - saved[0] * saved[0])
        return dz, (dz @ transposed,)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradient of the recurrent kernel."""
        del saved
        return (sum_of_products(h, dz),)


def sum_of_products(left: Tensor, right: Tensor) -> Tensor:
    """Σ leftᵀ right over time and batch, of `(time, batch, ...)`, as one matrix product."""
    return jnp.tensordot(left, right, axes=((0, 1), (0, 1)))


RECURRENCES: dict[str, type[Recurrence]] = {
    "lstm": LSTMRecurrence,
    "gru": GRURecurrence,
    "vanilla": VanillaRecurrence,
}
