"""Rows of different lengths in batches: which go together, and how they are padded."""

from collections.abc import Iterator, Sequence

import numpy as np

from rnnpipe.tasks.network import Array
from rnnpipe.text.tokens import PAD

_MULTIPLE = 4  # what padded lengths are multiples of: compiled graphs are made for each


def batch_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Rows of similar lengths, the longest first.

    Args:
        lengths: of all rows.
        batch_size: rows of a batch at most.

    Example:
        >>> list(batch_by_length([3, 9, 4], 2))
        [[1, 2], [0]]
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def padded_length(longest: int, multiple: int = _MULTIPLE) -> int:
    """How long rows are once they are padded.

    Args:
        longest: the length of the longest row.
        multiple: what the padded length is a multiple of.

    Example:
        >>> padded_length(5)
        8
    """
    return -(-longest // multiple) * multiple


def pad_tokens(rows: Sequence[Sequence[int]]) -> Array:
    """Tokens of several texts as int32 `(batch, time)`, padded to a multiple of four.

    Example:
        >>> pad_tokens([[5, 6], [7]]).tolist()
        [[5, 6, 0, 0], [7, 0, 0, 0]]
    """
    tokens = np.full((len(rows), padded_length(max(map(len, rows)))), PAD, "int32")
    for place, row in enumerate(rows):
        tokens[place, : len(row)] = row
    return tokens
