"""One step of each recurrence, forward and backward by hand, in TensorFlow.

`z` is the input projection of the step, gates side by side as in Keras; `states[0]` is the output.
States and all that is saved for the backward pass are `(batch, units)`.
"""

from typing import Protocol, TypeAlias

import tensorflow as tf

from rnnpipe.types import Tensor

Tensors: TypeAlias = tuple[Tensor, ...]


class Recurrence(Protocol):
    """One step of a recurrence; `saves` is the number of tensors that `forward` saves."""

    saves: int

    def gates(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> Tensors:
        """The first half of a step: what is computed of a product with the states.

        `compiled` is whether XLA compiles it.
        """

    def update(self, gates: Tensors, states: Tensors) -> Tensors:
        """The second half: the new states."""

    def forward(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> tuple[Tensors, Tensors]:
        """New states, and what `backward` needs of this step."""

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of `z` and of the states before the step.

        `h` is the output before the step, `transposed` the recurrent kernel, transposed.
        """

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradients of `weights`, of all steps at once; all arguments are `(time * batch, ...)`."""


class LSTMRecurrence:
    """Gates i, f, g, o; weights: the recurrent kernel."""

    saves = 5

    def gates(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> Tensors:
        """All four."""
        h, _ = states
        z += tf.matmul(h, weights[0])
        if compiled:
            i, f, g, o = tf.split(z, 4, axis=1)
            return tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        # One sigmoid of all gates, a quarter of it unused, is faster than three operations.
        i, f, _, o = tf.split(tf.sigmoid(z), 4, axis=1)
        return i, f, tf.tanh(z[:, 2 * h.shape[1] : 3 * h.shape[1]]), o

    def update(self, gates: Tensors, states: Tensors) -> Tensors:
        """Output and cell."""
        i, f, g, o = gates
        c = f * states[1] + i * g
        return o * tf.tanh(c), c

    def forward(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> tuple[Tensors, Tensors]:
        """One step; saves the gates and the cell before it."""
        gates = self.gates(z, states, weights, compiled=compiled)
        return self.update(gates, states), (*gates, states[1])

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        del h
        dh, dc = d_states
        i, f, g, o, c = saved
        tanh_c = tf.tanh(f * c + i * g)
        dc += dh * o * (1 - tanh_c * tanh_c)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g)
        dz = tf.concat([di, df, dg, dh * tanh_c * o * (1 - o)], axis=1)
        return dz, (tf.matmul(dz, transposed), dc * f)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradient of the recurrent kernel."""
        del saved
        return (tf.matmul(h, dz, transpose_a=True),)


class GRURecurrence:
    """Gates z, r, candidate, reset after the product; weights: recurrent kernel and bias."""

    saves = 4

    def gates(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> Tensors:
        """Both, the candidate, and its recurrent part."""
        del compiled
        (h,) = states
        inner = tf.nn.bias_add(tf.matmul(h, weights[0]), weights[1])
        sizes = (2 * h.shape[1], h.shape[1])
        (inner_gates, inner_g), (gates, g) = tf.split(inner, sizes, 1), tf.split(z, sizes, 1)
        update, reset = tf.split(tf.sigmoid(gates + inner_gates), 2, axis=1)
        candidate = tf.tanh(g + reset * inner_g)
        return update, reset, candidate, inner_g

    def update(self, gates: Tensors, states: Tensors) -> Tensors:
        """The output."""
        update, _, candidate, _ = gates
        return (update * states[0] + (1 - update) * candidate,)

    def forward(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> tuple[Tensors, Tensors]:
        """One step; saves the gates and the candidate's recurrent part."""
        gates = self.gates(z, states, weights, compiled=compiled)
        return self.update(gates, states), gates

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        (dh,) = d_states
        update, reset, candidate, inner_g = saved
        d_candidate = dh * (1 - update) * (1 - candidate * candidate)
        d_update = dh * (h - candidate) * update * (1 - update)
        d_reset = d_candidate * inner_g * reset * (1 - reset)
        inner = tf.concat([d_update, d_reset, d_candidate * reset], axis=1)
        dz = tf.concat([d_update, d_reset, d_candidate], axis=1)
        return dz, (dh * update + tf.matmul(inner, transposed),)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradients of the recurrent kernel and bias."""
        d_update, d_reset, d_candidate = tf.split(dz, 3, axis=1)
        inner = tf.concat([d_update, d_reset, d_candidate * saved[1]], axis=1)
        return tf.matmul(h, inner, transpose_a=True), tf.reduce_sum(inner, axis=0)


class VanillaRecurrence:
    """tanh of the sum; weights: the recurrent kernel."""

    saves = 1

    def gates(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> Tensors:
        """None: the output alone."""
        del compiled
        return (tf.tanh(z + tf.matmul(states[0], weights[0])),)

    def update(self, gates: Tensors, states: Tensors) -> Tensors:
        """The output."""
        del states
        return gates

    def forward(
        self, z: Tensor, states: Tensors, weights: Tensors, *, compiled: bool = False
    ) -> tuple[Tensors, Tensors]:
        """One step; saves its output."""
        gates = self.gates(z, states, weights, compiled=compiled)
        return gates, gates

    def backward(
        self, d_states: Tensors, saved: Tensors, h: Tensor, transposed: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Gradients of one step."""
        del h
        dz = d_states[0] * (1 - saved[0] * saved[0])
        return dz, (tf.matmul(dz, transposed),)

    def weight_gradients(self, dz: Tensor, saved: Tensors, h: Tensor) -> Tensors:
        """Gradient of the recurrent kernel."""
        del saved
        return (tf.matmul(h, dz, transpose_a=True),)


RECURRENCES: dict[str, type[Recurrence]] = {
    "lstm": LSTMRecurrence,
    "gru": GRURecurrence,
    "vanilla": VanillaRecurrence,
}
