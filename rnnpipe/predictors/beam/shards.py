"""The shards of a job: which rows each has. They depend on the rows alone, never on workers."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rnnpipe.predictors.beam.places import Place
from rnnpipe.predictors.beam.ranges import RowRange
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.predictors.rows import RowReader
from rnnpipe.transforms.passes.scratch import scratch_folder

_SHARDS = "shards"


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows that one worker predicts, and writes as one file.

    Args:
        number: of the shard, from 0.
        first: the number of its first row, from 1.
        ranges: where its rows are.
    """

    number: int
    first: int
    ranges: Sequence[RowRange]

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(each.size for each in self.ranges)

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """Its rows, in their order."""
        return chain.from_iterable(each.read(reader) for each in self.ranges)


def write_shard(folder: Path, shard: Shard) -> None:
    """Leaves a shard for the worker that gets its number.

    Where its rows are may take room, as the names of files do; a pipeline is to stay small.

    Args:
        folder: where predictions are built.
        shard: the shard.
    """
    (scratch_folder(folder, _SHARDS) / str(shard.number)).write_bytes(pickle.dumps(shard))


def read_shard(folder: Path, number: int) -> Shard:
    """The shard of a number, see `write_shard`."""
    shard: Shard = pickle.loads((scratch_folder(folder, _SHARDS) / str(number)).read_bytes())
    return shard


def cut_shards(places: Iterable[Place], size: int, folder: Path) -> Iterator[Shard]:
    """The rows of all places, in their order, in shards.

    Args:
        places: where rows come from.
        size: the rows of a shard.
        folder: where predictions are built, for scratch files.
    """
    number, first, ranges, room = 0, 1, list[RowRange](), size
    for place in places:
        for rows in place.cut(room, size, folder):
            ranges.append(rows)
            room -= rows.size
            if room <= 0:
                shard = Shard(number, first, ranges)
                yield shard
                number, first, ranges, room = number + 1, first + shard.size, [], size
    if ranges:
        yield Shard(number, first, ranges)
