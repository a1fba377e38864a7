"""The k largest of many values, found block by block."""

import math

from rnnpipe import ops
from rnnpipe.types import Tensor

_DIRECT = 1024  # up to so many values, one `ops.top_k`


def blocked_top_k(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest values of the last axis and their indices: `ops.top_k`, for vocabularies.

    Of n values in blocks, only the k blocks with the largest maxima can contain the k largest. The
    maxima take one pass, and no more than about 2 √(k n) values are then sorted. Of equal values
    the first come first, on backends whose `ops.top_k` does so.

    Args:
        values: `(batch, n)`.
        k: from 1 to n.

    Returns:
        Values and int32 indices, each `(batch, k)`, the largest first.

    Example:
        >>> values, indices = blocked_top_k(ops.array([[3.0, 9.0, 5.0]]), 2)
        >>> values.numpy().tolist(), indices.numpy().tolist()
        ([[9.0, 5.0]], [[1, 2]])
    """
    count = values.shape[-1]
    block = _block_size(count, k)
    blocks = count // block
    if count <= _DIRECT or blocks <= k:
        largest, indices = ops.top_k(values, k)
        return largest, ops.cast(indices, "int32")
    whole = blocks * block
    head = ops.reshape(values[:, :whole] if whole < count else values, (-1, block))
    _, chosen = ops.top_k(ops.reshape(ops.max(head, axis=-1, initial=-math.inf), (-1, blocks)), k)
    # In ascending order, so that of equal values the first come first.
    chosen = ops.sort(ops.cast(chosen, "int32"), axis=-1)  # (batch, k)
    rows = ops.arange(ops.shape(chosen)[0], dtype="int32")[:, None] * blocks
    candidates = ops.reshape(ops.take(head, rows + chosen, axis=0), (-1, k * block))
    if whole < count:
        candidates = ops.concatenate([candidates, values[:, whole:]], axis=1)
    largest, order = ops.top_k(candidates, k)
    order = ops.cast(order, "int32")
    blocks_of = ops.take_along_axis(chosen, ops.minimum(order // block, k - 1), axis=1)
    inside = blocks_of * block + order % block
    return largest, ops.where(order < k * block, inside, order - k * block + whole)


def _block_size(count: int, k: int) -> int:
    """About √(n / k), a divisor of n if one is near: else the remainder is copied."""
    ideal = max(math.isqrt(count // k), 1)
    return next((size for size in range(ideal, 2 * ideal) if count % size == 0), ideal)
