"""The recurrences of PyTorch itself over all steps, with weights as Keras has them.

`sequences` is `(batch, time, features)`; a recurrence returns `(batch, time, units)` and the last
states, each `(batch, units)`. The functions are those behind `torch.nn.LSTM`, `GRU` and `RNN`.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch

from rnnpipe.types import Tensor

Tensors: TypeAlias = tuple[Tensor, ...]
Weights: TypeAlias = tuple[Tensor, Tensor | None, Tensor, Tensor | None]
"""Input kernel, input bias or None, recurrent kernel, recurrent bias or None."""

Recurrence: TypeAlias = Callable[[Tensor, Weights, Tensors], tuple[Tensor, Tensors]]


def lstm(sequences: Tensor, weights: Weights, states: Tensors) -> tuple[Tensor, Tensors]:
    """Gates i, f, g, o, in PyTorch as in Keras."""
    first = [state[None] for state in states]
    outputs, *last = torch.lstm(sequences, first, *_arguments(weights))
    return outputs, tuple(state[0] for state in last)


def gru(sequences: Tensor, weights: Weights, states: Tensors) -> tuple[Tensor, Tensors]:
    """Gates z, r, g in Keras; r, z, g in PyTorch, which resets after the product too."""
    reordered = [None if array is None else _swap_gates(array) for array in weights]
    outputs, last = torch.gru(sequences, states[0][None], *_arguments(reordered))
    return outputs, (last[0],)


def vanilla(sequences: Tensor, weights: Weights, states: Tensors) -> tuple[Tensor, Tensors]:
    """Tanh of the sum."""
    outputs, last = torch.rnn_tanh(sequences, states[0][None], *_arguments(weights))
    return outputs, (last[0],)


def _swap_gates(array: Tensor) -> Tensor:
    """The first two of three gates, side by side in the last axis, swapped."""
    z, r, g = array.chunk(3, dim=-1)
    return torch.cat([r, z, g], dim=-1)


def _arguments(weights: Any) -> tuple[Any, ...]:
    """The weights and options of PyTorch's functions: one layer, one direction, batch first."""
    kernel, bias, recurrent_kernel, recurrent_bias = weights
    arrays = [kernel.T.contiguous(), recurrent_kernel.T.contiguous()]
    has_biases = bias is not None
    if has_biases:
        arrays += [bias, torch.zeros_like(bias) if recurrent_bias is None else recurrent_bias]
    return arrays, has_biases, 1, 0.0, torch.is_grad_enabled(), False, True


RECURRENCES: dict[str, Recurrence] = {"lstm": lstm, "gru": gru, "vanilla": vanilla}
