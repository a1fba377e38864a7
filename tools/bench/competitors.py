"""Competitors of a build's write pass: loops that do the same work, and their comparison."""

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import apache_beam as beam

from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.passes.read_progress import create_partitions
from rnnpipe.transforms.passes.scratch import clear, scratch_folder
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import shard_of
from rnnpipe.transforms.runners.runner import Runner

LOOP, POOL, ONE, TWO = (
    "plain loop",
    "multiprocessing.Pool(2)",
    "build, 1 worker",
    "build, 2 workers",
)


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
    every = (raw for partition in source.partitions() for raw in source.read(partition))
    return [raw for raw in every if isinstance(raw, Reference)]


def run(transform: Callable[[Shuffle], Any], work: Any, workers: int) -> None:
    """One pass of a build.

    Args:
        transform: the pass, given how what belongs together is brought together.
        work: what there is to do.
        workers: how many share it.
    """
    partitions = work.source.partitions()
    waiting = scratch_folder(work.folder, "shuffle")

    def construct(pipeline: beam.Pipeline) -> None:
        of_data = pipeline | "Partitions" >> create_partitions(partitions)
        _ = of_data | transform(Shuffle(waiting, max(64, len(partitions))))

    Runner(workers).run(construct)
    clear(waiting)


def compare(
    ways: Mapping[str, Callable[[Any], None]], work: Any, records: int, unit: str, rounds: int
) -> None:
    """Times all ways, interleaved; prints the best of each and its ratio to the competitors.

    Args:
        ways: `LOOP`, `POOL`, `ONE` and `TWO`, and others by any name.
        work: what there is to do.
        records: how many records that gives.
        unit: what to call them.
        rounds: how often each way is timed.
    """
    seconds: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            wall, cpu = time.perf_counter(), _cpu_seconds()
            way(work)
            taken = time.perf_counter() - wall, _cpu_seconds() - cpu
            seconds.setdefault(name, []).append(taken)
    load = os.getloadavg()[0]
    print(
        f"{records:,} {unit}, {work.shards} shards, best of {rounds} interleaved, load {load:.1f}"
    )
    best = {name: tuple(map(min, zip(*times, strict=True))) for name, times in seconds.items()}
    for name, (wall, cpu) in best.items():
        rate = "" if name.startswith("start") else f"{records / wall:10,.0f} {unit}/s"
        print(f"{name:26}{wall:8.2f} s{cpu:8.2f} s CPU{rate}")
    for what, competitor, ours in (
        ("2 workers beside the pool, speed", POOL, TWO),
        ("1 worker beside the loop, speed", LOOP, ONE),
        ("2 workers beside 1, speed", ONE, TWO),
    ):
        wall, cpu = (best[competitor][i] / best[ours][i] for i in (0, 1))
        print(f"{what:34}{wall:6.2f} x by the clock{cpu:8.2f} x by CPU seconds")


def _cpu_seconds() -> float:
    """What this process and those that it has waited for have used: what a busy machine tells."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _by_shard(work: Work) -> list[tuple[int, list[Reference]]]:
    """All references, read and dealt out."""
    dealt: list[list[Reference]] = [[] for _ in range(work.shards)]
    for reference in references_of(work.source):
        dealt[shard_of(reference, work.shards)].append(reference)
    return list(enumerate(dealt))
