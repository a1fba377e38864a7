"""Loops that do the work of a build's second pass without it."""

import multiprocessing
from typing import Protocol

from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.splits import shard_of


class Work(Protocol):
    """What there is to do: the records of a source, in so many shards."""

    @property
    def source(self) -> Source:
        """The raw data, all of it in `train`."""

    @property
    def shards(self) -> int:
        """How many files to write."""

    def write(self, shard: int, references: list[Reference]) -> None:
        """Encodes and writes one shard."""


def loop(work: Work) -> None:
    """One process, one shard after the other."""
    for shard, references in _by_shard(work):
        work.write(shard, references)


def pool(work: Work) -> None:
    """Two fresh processes, as the build's own are."""
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        workers.starmap(work.write, _by_shard(work), chunksize=1)


def references_of(source: Source) -> list[Reference]:
    """All that can be read of a source."""
    every = (raw for piece in source.pieces() for raw in source.read(piece))
    return [raw for raw in every if isinstance(raw, Reference)]


def _by_shard(work: Work) -> list[tuple[int, list[Reference]]]:
    """All references, read and dealt out."""
    dealt: list[list[Reference]] = [[] for _ in range(work.shards)]
    for reference in references_of(work.source):
        dealt[shard_of(reference, work.shards)].append(reference)
    return list(enumerate(dealt))
