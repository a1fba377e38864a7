"""Independent NumPy oracles of the layers: one example, one step, one gate at a time, in float64.

Nothing here is shared with the layers: no vectorised gates, no batch, no framework.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def lstm(
    sequence: Array, weights: list[Array], steps: list[int], h: Array, c: Array
) -> tuple[Array, Array, Array]:
    """An LSTM over the `steps` of one sequence (time, features): outputs, h, c.

    `outputs` has a row for every step of `steps`, in that order.
    """
    kernel, recurrent_kernel, bias = weights
    units = h.shape[0]
    outputs = []
    for t in steps:
        gate = []
        for block in range(4):
            columns = slice(block * units, (block + 1) * units)
            gate.append(
                sequence[t] @ kernel[:, columns] + h @ recurrent_kernel[:, columns] + bias[columns]
            )
        i, f, g, o = sigmoid(gate[0]), sigmoid(gate[1]), np.tanh(gate[2]), sigmoid(gate[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return np.array(outputs).reshape(len(steps), units), h, c


def gru(sequence: Array, weights: list[Array], steps: list[int], h: Array) -> tuple[Array, Array]:
    """A GRU over the `steps` of one sequence: outputs, h. Two rows of biases: reset after."""
    kernel, recurrent_kernel, bias = weights
    units = h.shape[0]
    reset_after = bias.ndim == 2
    input_bias, recurrent_bias = bias if reset_after else (bias, np.zeros(3 * units))
    z_, r_, g_ = (slice(block * units, (block + 1) * units) for block in range(3))
    outputs = []
    for t in steps:
        x = sequence[t]
        z, r = (
            sigmoid(
                x @ kernel[:, block]
                + input_bias[block]
                + h @ recurrent_kernel[:, block]
                + recurrent_bias[block]
            )
            for block in (z_, r_)
        )
        if reset_after:
            inner = r * (h @ recurrent_kernel[:, g_] + recurrent_bias[g_])
        else:
            inner = (r * h) @ recurrent_kernel[:, g_]
        g = np.tanh(x @ kernel[:, g_] + input_bias[g_] + inner)
        h = z * h + (1 - z) * g
        outputs.append(h)
    return np.array(outputs), h


def vanilla(
    sequence: Array, weights: list[Array], steps: list[int], h: Array
) -> tuple[Array, Array]:
    """A plain recurrent network over the `steps` of one sequence: outputs, h."""
    kernel, recurrent_kernel, bias = weights
    outputs = []
    for t in steps:
        h = np.tanh(sequence[t] @ kernel + h @ recurrent_kernel + bias)
        outputs.append(h)
    return np.array(outputs), h


def additive_attention(
    query: Array,
    memory: list[Array],
    weights: list[Array],
    activation: Callable[[Array], Array] = np.tanh,
) -> tuple[Array, Array]:
    """Additive attention of one query over a list of readable positions: context, alignments."""
    query_kernel, memory_kernel, bias, score_kernel = weights
    contexts, alignments = [], []
    for v in score_kernel.T:
        scores = np.array(
            [v @ activation(query @ query_kernel + m @ memory_kernel + bias) for m in memory]
        )
        alignment = np.exp(scores - scores.max())
        alignment /= alignment.sum()
        alignments.append(alignment)
        contexts.append(sum(w * m for w, m in zip(alignment, memory, strict=True)))
    return np.concatenate(contexts), np.array(alignments)


def numeric_gradient(function: Callable[[], float], array: Array, step: float = 1e-5) -> Array:
    """Central differences of `function`, which reads `array`, for every entry of `array`."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient
