"""Nested tensors of a search: gathered by beam, and written over time."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from rnnpipe import ops
from rnnpipe.text.tokens import PAD
from rnnpipe.types import Nested, Tensor


def pad_rows(rows: Sequence[Sequence[Any]]) -> np.ndarray:
    """Rows of different lengths as one array of at least one column, padded with PAD.

    Raises:
        TypeError: a token is no integer, which an array would make one.
    """
    for token in (token for tokens in rows for token in tokens):
        if isinstance(token, bool) or not isinstance(token, Integral):
            raise TypeError(f"no token: {token!r}")
    array = np.full((len(rows), max([1, *map(len, rows)])), PAD, "int32")
    for row, tokens in zip(array, rows, strict=True):
        row[: len(tokens)] = tokens
    return array


def flat_rows(beams: Tensor, width: int) -> Tensor:
    """Rows of `(batch * width, ...)` for indices `(batch, choices)` within each `width`."""
    batch = ops.arange(ops.shape(beams)[0], dtype="int32")
    return batch[:, None] * width + beams


def gather_beams(tensors: Nested[Tensor], beams: Tensor) -> Nested[Tensor]:
    """Gathers `(batch, choices)` of `(batch, width, ...)`: `(batch, choices, ...)`."""

    def gather(tensor: Tensor) -> Tensor:
        _, width, *rest = ops.shape(tensor)
        flat = ops.reshape(tensor, (-1, *rest))
        return ops.take(flat, flat_rows(beams, width), axis=0)

    return ops.tree.map_structure(gather, tensors)


def allocate(tensors: Nested[Tensor], time: int) -> Nested[Tensor]:
    """Zeros `(time, *shape)` for each tensor."""
    return ops.tree.map_structure(
        lambda tensor: ops.zeros((time, *ops.shape(tensor)), dtype=tensor.dtype), tensors
    )


def write(buffers: Nested[Tensor], t: Tensor, tensors: Nested[Tensor]) -> Nested[Tensor]:
    """Writes each tensor into its buffer `(time, *shape)` at time `t`."""

    def write_one(buffer: Tensor, tensor: Tensor) -> Tensor:
        return ops.slice_update(buffer, [t, *[0] * len(tensor.shape)], tensor[None])

    return ops.tree.map_structure(write_one, buffers, tensors)


def mask_after(lengths: Tensor, tensor: Tensor, fill: int = 0) -> Tensor:
    """`(..., time, *rest)` filled with `fill` from `lengths`, `(...)`, on."""
    axis = len(lengths.shape)
    mask = ops.arange(tensor.shape[axis], dtype="int32") < lengths[..., None]
    mask = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(tensor.shape) - axis - 1)))
    return ops.where(mask, tensor, ops.full_like(tensor, fill))
