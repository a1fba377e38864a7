"""The count pass: counts the records and the items that vocabularies are learned from."""

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
from rnnpipe.sources.raw_files import is_utf8
from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.passes.dead_letters import (
    DEAD_LETTER_FOLDER,
    DeadLetterSummary,
    read_dead_letters,
    summarize_dead_letters,
    write_dead_letters,
)
from rnnpipe.transforms.passes.duplicates import DUPLICATES, FindDuplicates, read_duplicates
from rnnpipe.transforms.passes.read_progress import READ_PROGRESS, ReadPartitions
from rnnpipe.transforms.passes.scratch import clear, scratch_folder, write_lines
from rnnpipe.transforms.passes.shuffle import BatchForShuffle, Shuffle, unbatch
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Counts, Recipe, Tally

MAX_ITEMS = 2_000_000
"""The number of distinct items of a kind whose counts are kept."""

_COUNTS = "counts"
_RECORDS = "records"
_MAX_ITEMS_IN_WORKER = 200_000

# What a cluster's own page shows while it works.
_READ = Metrics.counter("rnnpipe", "records_read")
_DEAD_LETTERS = Metrics.counter("rnnpipe", "dead_letters")

Item = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CountResult:
    """The result of the count pass.

    Args:
        records: how many records each split will have.
        counts: what the recipe counted in the training split.
        dead_letters: raw records that could not even be referred to.
        duplicates: how many records have something in common which should tell them apart, see
            `read_duplicates`.
    """

    records: Counter[str]
    counts: Counts
    dead_letters: DeadLetterSummary
    duplicates: dict[str, dict[str, dict[str, int]]]


class CountReferences(beam.PTransform):
    """Partitions of the raw data → files of counts, dead letters and duplicates in `folder`.

    Args:
        source: reads the partitions.
        recipe: defines what is counted.
        splitter: assigns references to splits.
        folder: where the files go.
        spread: whether to redistribute what was read, because there are too few partitions for all
            workers to share in the counting.
        shuffle: how values are grouped by key.
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

    def expand(self, partitions: Any) -> Any:
        """Applies the transform; Beam calls it."""
        raw = partitions | "Read" >> beam.ParDo(ReadPartitions(self._source, self._folder))
        if self._spread:
            raw = raw | "Redistribute" >> _Redistribute(self._shuffle)
        count = _CountItems(self._recipe, self._splitter, self._shuffle)
        counts = (
            raw
            | "Count" >> beam.ParDo(count)
            | "Batch" >> BatchForShuffle(int, self._shuffle)
            | "GatherCounts" >> beam.GroupByKey()
            | "WriteCounts" >> beam.Map(_write_counts, self._folder)
        )
        dead = (
            raw
            | "KeepDeadLetters" >> beam.FlatMap(_keep_dead, self._shuffle)
            | "BatchDeadLetters" >> BatchForShuffle(int, self._shuffle)
            | "GatherDeadLetters" >> beam.GroupByKey()
            | "WriteDeadLetters" >> beam.Map(_write_dead, self._folder)
        )
        find = FindDuplicates(self._recipe, self._splitter, self._folder, self._shuffle)
        return (counts, dead, raw | "Duplicates" >> find) | "All" >> beam.Flatten()


class _Redistribute(beam.PTransform):
    """Redistributes raw records from few workers to all of them."""

    def __init__(self, shuffle: Shuffle) -> None:
        super().__init__()
        self._shuffle = shuffle

    def expand(self, raw: Any) -> Any:
        return (
            raw
            | "KeyByBucket" >> beam.Map(_key_by_bucket, self._shuffle)
            | "Batch" >> BatchForShuffle(int, self._shuffle)
            | "Gather" >> beam.GroupByKey()
            | "Unbatch" >> beam.FlatMap(_unbatch)
        )


Raw = Reference | DeadLetter


def _key_by_bucket(raw: Raw, shuffle: Shuffle) -> tuple[int, Raw]:
    return shuffle.bucket_of(raw.key), raw


def _unbatch(gathered: tuple[int, Iterable[bytes]]) -> Iterator[Raw]:
    return unbatch(gathered[1])


def _keep_dead(raw: Raw, shuffle: Shuffle) -> Iterator[tuple[int, DeadLetter]]:
    if isinstance(raw, DeadLetter):
        yield shuffle.bucket_of(raw.key), raw


def _write_dead(gathered: tuple[int, Iterable[bytes]], folder: Path) -> None:
    bucket, batches = gathered
    write_dead_letters(folder, f"count-{bucket}", unbatch(batches))


class _CountItems(beam.DoFn):
    """Counts in the worker, so that counts are shuffled and not every word of every text."""

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
        if len(self._counts) > _MAX_ITEMS_IN_WORKER:
            yield from self._send()

    def finish_bundle(self) -> Iterator[Any]:
        yield from map(GlobalWindows.windowed_value_at_end_of_window, self._send())

    def _send(self) -> Iterator[tuple[int, tuple[Item, int]]]:
        counts = self._counts
        self.start_bundle()
        for item, count in counts.items():
            if is_utf8(item[1]):  # else its record becomes a dead letter when it is encoded
                yield self._shuffle.bucket_of(item[1]), (item, count)


def _write_counts(gathered: tuple[int, Iterable[bytes]], folder: Path) -> None:
    bucket, batches = gathered
    total: Counter[Item] = Counter()
    for item, count in unbatch(batches):
        total[item] += count
    write_lines(folder, _COUNTS, str(bucket), map(json.dumps, total.items()))


def read_counts(folder: Path) -> CountResult:
    """What `CountReferences` wrote into `folder`."""
    counts: defaultdict[str, Tally] = defaultdict(Tally)
    for path in sorted(scratch_folder(folder, _COUNTS).iterdir()):
        with path.open(encoding="utf-8") as file:
            for (name, item), count in map(json.loads, file):
                counts[name][item] = count
        for tally in counts.values():
            if len(tally) > MAX_ITEMS:
                tally.keep_most_frequent(MAX_ITEMS)
    records: Counter[str] = counts.pop(_RECORDS, Tally())
    return CountResult(
        records, counts, summarize_dead_letters(read_dead_letters(folder)), read_duplicates(folder)
    )


def remove_counts(folder: Path) -> None:
    """Removes the files of an earlier count pass: another one may have other buckets."""
    for name in (_COUNTS, DEAD_LETTER_FOLDER, DUPLICATES, READ_PROGRESS):
        clear(scratch_folder(folder, name))
