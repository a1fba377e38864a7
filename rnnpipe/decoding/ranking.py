"""The greatest of many values, found in blocks."""

import math
from typing import Any

from keras import ops

_FEW = 1024  # so many values are searched at once


def top_k(values: Any, k: int) -> tuple[Any, Any]:
    """The k greatest values of the last axis, and where they are: `ops.top_k`, for vocabularies.

    Of n values in blocks, only the k blocks with the greatest maxima can hold the k greatest. To
    find the maxima takes one pass, and no more than about 2 √(k n) values are then ranked. Of equal
    ones the first come first, wherever `ops.top_k` has it so.

    Args:
        values: `(batch, n)`.
        k: from 1 to n.

    Returns:
        Values and int32 places, each `(batch, k)`, the greatest first.

    Example:
        >>> values, places = top_k(ops.array([[3.0, 9.0, 5.0]]), 2)
        >>> values.numpy().tolist(), places.numpy().tolist()
        ([[9.0, 5.0]], [[1, 2]])
    """
    count = values.shape[-1]
    block = _block_size(count, k)
    blocks = count // block
    if count <= _FEW or blocks <= k:
        found, places = ops.top_k(values, k)
        return found, ops.cast(places, "int32")
    whole = blocks * block
    head = ops.reshape(values[:, :whole] if whole < count else values, (-1, block))
    _, chosen = ops.top_k(ops.reshape(ops.max(head, axis=-1), (-1, blocks)), k)
    # In the order of places, so that of equal values the first come first.
    chosen = ops.sort(ops.cast(chosen, "int32"), axis=-1)  # (batch, k)
    rows = ops.arange(ops.shape(chosen)[0], dtype="int32")[:, None] * blocks
    candidates = ops.reshape(ops.take(head, rows + chosen, axis=0), (-1, k * block))
    if whole < count:
        candidates = ops.concatenate([candidates, values[:, whole:]], axis=1)
    found, order = ops.top_k(candidates, k)
    order = ops.cast(order, "int32")
    blocks_of = ops.take_along_axis(chosen, ops.minimum(order // block, k - 1), axis=1)
    inside = blocks_of * block + order % block
    return found, ops.where(order < k * block, inside, order - k * block + whole)


def _block_size(count: int, k: int) -> int:
    """About √(n / k), a divisor of n if there is one near: else what is over is copied apart."""
    ideal = max(math.isqrt(count // k), 1)
    return next((size for size in range(ideal, 2 * ideal) if count % size == 0), ideal)
