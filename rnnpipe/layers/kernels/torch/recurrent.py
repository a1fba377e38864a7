"""The recurrences of PyTorch, on CPUs by oneDNN or its own loops, on GPUs by cuDNN, with any mask.

They know no masks. So the unmasked steps of each sequence are moved to the front, where masked ones
change no output any more, and the outputs are moved back.
"""

import torch
from keras import ops

from rnnpipe.layers.kernels.torch.recurrences import RECURRENCES, Recurrence, Tensors, Weights
from rnnpipe.types import Tensor

_HALVES = (torch.bfloat16, torch.float16)

_SATURATED = 1e4
"""Its sigmoid is exactly 1, and that of its negative exactly 0, in any precision."""


class RecurrentKernel:
    """A recurrence over time; `rnnpipe.layers.kernels` documents the call.

    Args:
        recurrence: over all steps.
        has_cell: whether it is an LSTM, whose cell is no output.
    """

    def __init__(self, recurrence: Recurrence, *, has_cell: bool) -> None:
        self.recurrence = recurrence
        self.has_cell = has_cell

    def __call__(
        self,
        sequences: Tensor,
        mask: Tensor | None,
        weights: Tensors,
        states: Tensors,
        training: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Outputs `(batch, time, units)` and last states, of the dtype of `sequences`.

        In half precision weights and inputs are rounded, and all is computed in float32.
        """
        del training
        kernel, bias, recurrent_kernel, *recurrent_bias = map(_widen, weights)
        arrays = (kernel, bias, recurrent_kernel, recurrent_bias[0] if recurrent_bias else None)
        inputs = (_widen(sequences), arrays, tuple(map(_widen, states)))
        outputs, last = self.recurrence(*inputs) if mask is None else self._masked(*inputs, mask)
        return outputs.to(sequences.dtype), [state.to(sequences.dtype) for state in last]

    def _masked(
        self, sequences: Tensor, weights: Weights, states: Tensors, mask: Tensor
    ) -> tuple[Tensor, Tensors]:
        """The recurrence over the unmasked steps."""
        order = torch.argsort(~mask, dim=1, stable=True)
        sequences = sequences.gather(1, order[:, :, None].expand(sequences.shape))
        counts = mask.cumsum(1)
        if self.has_cell:
            after = torch.arange(mask.shape[1], device=mask.device) >= counts[:, -1:]
            sequences, weights = _keep_cell(sequences, weights, after)
        outputs, (_, *cell) = self.recurrence(sequences, weights, states)
        # At each step the output of the latest unmasked one, or the first state before any.
        outputs = torch.cat([states[0][:, None], outputs], dim=1)
        outputs = outputs.gather(1, counts[:, :, None].expand(-1, -1, outputs.shape[2]))
        return outputs, (outputs[:, -1], *cell)


def _keep_cell(sequences: Tensor, weights: Weights, steps: Tensor) -> tuple[Tensor, Weights]:
    """Sequences and weights by which an LSTM keeps its cell unchanged at some steps.

    An input that is 1 there and 0 elsewhere closes the input gate and opens the forget gate.
    """
    kernel, *others = weights
    closed = kernel.new_full((1, kernel.shape[1] // 4), -_SATURATED)
    row = torch.cat([closed, -closed, torch.zeros_like(closed), torch.zeros_like(closed)], dim=1)
    sequences = torch.cat([sequences, steps[:, :, None].to(sequences.dtype)], dim=2)
    return sequences, (torch.cat([kernel, row]), *others)


def _widen(array: Tensor) -> Tensor:
    """A tensor of half precision as float32; all others, and None, as they are."""
    if array is None:
        return None
    array = ops.convert_to_tensor(array)
    return array.float() if array.dtype in _HALVES else array


_KERNELS = {
    name: RecurrentKernel(recurrence, has_cell=name == "lstm")
    for name, recurrence in RECURRENCES.items()
}


def recurrent_kernel(recurrence: str, units: int) -> RecurrentKernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, which serves any number of units."""
    del units
    return _KERNELS[recurrence]
