"""Nested structures of tensors: repeated, gathered and written, tensor by tensor."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops, tree

from rnnpipe.text.tokens import PAD


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Rows of different lengths as one array of at least one column, PAD after each."""
    array = np.full((len(rows), max([1, *map(len, rows)])), PAD, "int32")
    for row, tokens in zip(array, rows, strict=True):
        row[: len(tokens)] = tokens
    return array


def tile(structure: Any, copies: int) -> Any:
    """Each row `copies` times in a row: `(batch, ...)` to `(batch * copies, ...)`."""

    def tile_one(tensor: Any) -> Any:
        tensor = ops.convert_to_tensor(tensor)
        repeated = ops.repeat(tensor[:, None], copies, axis=1)
        return ops.reshape(repeated, (-1, *ops.shape(tensor)[1:]))

    return tree.map_structure(tile_one, structure)


def rows_of(chosen: Any, width: int) -> Any:
    """Rows of `(batch * width, ...)` for the places `(batch, choices)` within each `width`."""
    batch = ops.arange(ops.shape(chosen)[0], dtype="int32")
    return batch[:, None] * width + chosen


def gather(structure: Any, chosen: Any) -> Any:
    """Places `(batch, choices)` out of `(batch, width, ...)`: `(batch, choices, ...)`."""

    def gather_one(tensor: Any) -> Any:
        _, width, *rest = ops.shape(tensor)
        flat = ops.reshape(tensor, (-1, *rest))
        return ops.take(flat, rows_of(chosen, width), axis=0)

    return tree.map_structure(gather_one, structure)


def gather_rows(structure: Any, rows: Any, axis: int = 0) -> Any:
    """Rows of each tensor."""
    return tree.map_structure(lambda tensor: ops.take(tensor, rows, axis=axis), structure)


def allocate(structure: Any, time: int) -> Any:
    """Zeros `(time, *shape)` for each tensor."""
    return tree.map_structure(
        lambda tensor: ops.zeros((time, *ops.shape(tensor)), dtype=tensor.dtype), structure
    )


def write(buffers: Any, t: Any, structure: Any) -> Any:
    """Each buffer `(time, *shape)` with a tensor written at time `t`."""

    def write_one(buffer: Any, tensor: Any) -> Any:
        return ops.slice_update(buffer, [t, *[0] * len(tensor.shape)], tensor[None])

    return tree.map_structure(write_one, buffers, structure)


def blank_after(lengths: Any, tensor: Any, blank: int = 0) -> Any:
    """`(..., time, *rest)` with `blank` from `lengths`, `(...)`, on."""
    axis = len(lengths.shape)
    counts = ops.arange(tensor.shape[axis], dtype="int32") < lengths[..., None]
    counts = ops.reshape(counts, (*ops.shape(counts), *[1] * (len(tensor.shape) - axis - 1)))
    return ops.where(counts, tensor, ops.full_like(tensor, blank))
