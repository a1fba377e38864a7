"""The first pass over the raw data: how many records there are, and what to learn from them."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindows

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.passes.dead_letters import (
    LETTERS,
    Losses,
    count_letters,
    read_letters,
    write_letters,
)
from rnnpipe.transforms.passes.duplicates import REPEATS, FindRepeats, read_repeats
from rnnpipe.transforms.passes.read_progress import READ, ReadPieces
from rnnpipe.transforms.passes.scratch import clear, work_folder, write_lines
from rnnpipe.transforms.passes.shuffle import Parcels, Shuffle, unpack
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Counts, Recipe, Tally

MOST_ITEMS = 2_000_000
"""Of how many distinct items of a kind the counts are kept."""

_COUNTS = "counts"
_RECORDS = "records"
_MOST_IN_WORKER = 200_000

# What a cluster's own page shows while it works.
_READ = Metrics.counter("rnnpipe", "records_read")
_DEAD_LETTERS = Metrics.counter("rnnpipe", "dead_letters")

Item = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first pass found.

    Args:
        records: how many records each split will have.
        counts: what the recipe counted in the training split.
        losses: raw records that could not even be referred to.
        repeats: how many records have something in common which should tell them apart, see
            `read_repeats`.
    """

    records: Counter[str]
    counts: Counts
    losses: Losses
    repeats: dict[str, dict[str, dict[str, int]]]


class CountReferences(beam.PTransform):
    """Pieces of raw data → files of counts, dead letters and repeats in `folder`.

    Args:
        source: reads the pieces.
        recipe: says what to count.
        splitter: says which split a reference belongs to.
        folder: where the files go.
        spread: whether the pieces are so few that what was read has to be dealt out again, for all
            workers to have a share of the counting.
        shuffle: how what belongs together is brought together.
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        splitter: Splitter,
        folder: Path,
        spread: bool = False,
        shuffle: Shuffle = Shuffle(),  # noqa: B008  # it is frozen
    ) -> None:
        super().__init__()
        self._source, self._recipe, self._splitter = source, recipe, splitter
        self._folder, self._spread, self._shuffle = folder, spread, shuffle

    def expand(self, pieces: Any) -> Any:
        """Applies the transform; Beam calls it."""
        raw = pieces | "Read" >> beam.ParDo(ReadPieces(self._source, self._folder))
        if self._spread:
            raw = raw | "Spread" >> _Spread(self._shuffle)
        count = _CountItems(self._recipe, self._splitter, self._shuffle)
        counts = (
            raw
            | "Count" >> beam.ParDo(count)
            | "Parcels" >> Parcels(int, self._shuffle)
            | "GatherCounts" >> beam.GroupByKey()
            | "WriteCounts" >> beam.Map(_write_counts, self._folder)
        )
        dead = (
            raw
            | "KeepDead" >> beam.FlatMap(_keep_dead, self._shuffle)
            | "DeadParcels" >> Parcels(int, self._shuffle)
            | "GatherDead" >> beam.GroupByKey()
            | "WriteDead" >> beam.Map(_write_dead, self._folder)
        )
        find = FindRepeats(self._recipe, self._splitter, self._folder, self._shuffle)
        return (counts, dead, raw | "Repeats" >> find) | "All" >> beam.Flatten()


class _Spread(beam.PTransform):
    """Deals out what few workers have read to all of them."""

    def __init__(self, shuffle: Shuffle) -> None:
        super().__init__()
        self._shuffle = shuffle

    def expand(self, raw: Any) -> Any:
        return (
            raw
            | "Deal" >> beam.Map(_deal, self._shuffle)
            | "Parcels" >> Parcels(int, self._shuffle)
            | "Gather" >> beam.GroupByKey()
            | "Unpack" >> beam.FlatMap(_unpack)
        )


Raw = Reference | DeadLetter


def _deal(raw: Raw, shuffle: Shuffle) -> tuple[int, Raw]:
    return shuffle.bucket_of(raw.key), raw


def _unpack(gathered: tuple[int, Iterable[bytes]]) -> Iterator[Raw]:
    return unpack(gathered[1])


def _keep_dead(raw: Raw, shuffle: Shuffle) -> Iterator[tuple[int, DeadLetter]]:
    if isinstance(raw, DeadLetter):
        yield shuffle.bucket_of(raw.key), raw


def _write_dead(gathered: tuple[int, Iterable[bytes]], folder: Path) -> None:
    bucket, parcels = gathered
    write_letters(folder, f"survey-{bucket}", unpack(parcels))


class _CountItems(beam.DoFn):
    """Counts in the worker, so that few counts travel and not every word of every text."""

    def __init__(self, recipe: Recipe, splitter: Splitter, shuffle: Shuffle) -> None:
        super().__init__()
        self._recipe, self._splitter, self._shuffle = recipe, splitter, shuffle

    def start_bundle(self) -> None:
        self._counts: Counter[Item] = Counter()

    def process(self, raw: Raw) -> Iterator[tuple[int, tuple[Item, int]]]:
        _READ.inc()
        if isinstance(raw, DeadLetter):
            _DEAD_LETTERS.inc()
            return
        split = self._splitter.split_of(raw)
        self._counts[_RECORDS, split] += 1
        if split == "train":
            self._counts.update(self._recipe.count(raw))
        if len(self._counts) > _MOST_IN_WORKER:
            yield from self._send()

    def finish_bundle(self) -> Iterator[Any]:
        yield from map(GlobalWindows.windowed_value_at_end_of_window, self._send())

    def _send(self) -> Iterator[tuple[int, tuple[Item, int]]]:
        counts = self._counts
        self.start_bundle()
        for item, count in counts.items():
            yield self._shuffle.bucket_of(item[1]), (item, count)


def _write_counts(gathered: tuple[int, Iterable[bytes]], folder: Path) -> None:
    bucket, parcels = gathered
    total: Counter[Item] = Counter()
    for item, count in unpack(parcels):
        total[item] += count
    write_lines(folder, _COUNTS, str(bucket), map(json.dumps, total.items()))


def read_survey(folder: Path) -> Survey:
    """What `CountReferences` wrote into `folder`."""
    counts: defaultdict[str, Tally] = defaultdict(Tally)
    for path in sorted(work_folder(folder, _COUNTS).iterdir()):
        with path.open() as file:
            for (name, item), count in map(json.loads, file):
                counts[name][item] = count
        for tally in counts.values():
            if len(tally) > MOST_ITEMS:
                tally.keep_most_frequent(MOST_ITEMS)
    records: Counter[str] = counts.pop(_RECORDS, Tally())
    return Survey(records, counts, count_letters(read_letters(folder)), read_repeats(folder))


def remove_survey(folder: Path) -> None:
    """Removes what an earlier survey left: another one may have other buckets."""
    for name in (_COUNTS, LETTERS, REPEATS, READ):
        clear(work_folder(folder, name))
