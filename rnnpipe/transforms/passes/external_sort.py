"""Values in order, however many there are: those that are too many for memory wait on disk."""

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")

MAX_VALUES_IN_MEMORY = 100_000
"""How many values are sorted in memory at once."""

_BATCH = 100
_PROTOCOL = 5


def external_sort(values: Iterable[T], key: Callable[[T], Any]) -> Iterator[T]:
    """Sorts any number of values; at most `MAX_VALUES_IN_MEMORY` of them are in memory.

    More are sorted in runs that are merged from a file without name, in the folder that `TMPDIR`
    names; it needs as much room as the values take pickled.

    Args:
        values: what to sort; all of it is read before the first value comes out.
        key: what to sort by.

    Example:
        >>> list(external_sort(iter([3, 1, 2]), key=lambda value: -value))
        [3, 2, 1]
    """
    values = iter(values)
    run = sorted(islice(values, MAX_VALUES_IN_MEMORY), key=key)
    if len(run) < MAX_VALUES_IN_MEMORY:
        yield from run
        return
    with TemporaryFile() as file:
        runs = []
        while run:
            runs.append(_store(run, file))
            run = sorted(islice(values, MAX_VALUES_IN_MEMORY), key=key)
        yield from heapq.merge(*(_load(file, offsets) for offsets in runs), key=key)


def _store(run: list[Any], file: BinaryIO) -> list[int]:
    """Appends a run in batches; returns where they begin."""
    offsets = []
    for first in range(0, len(run), _BATCH):
        offsets.append(file.tell())
        pickle.dump(run[first : first + _BATCH], file, _PROTOCOL)
    return offsets


def _load(file: BinaryIO, offsets: list[int]) -> Iterator[Any]:
    for offset in offsets:
        file.seek(offset)
        yield from pickle.load(file)
