"""The first pass over the raw data: how many records there are, and what to learn from them."""

import json
import zlib
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
from rnnpipe.transforms.parcels import Parcels, unpack
from rnnpipe.transforms.recipe import Counts, Recipe
from rnnpipe.transforms.repeats import FindRepeats, Repeat, read_repeats
from rnnpipe.transforms.splits import Splitter

_COUNTS, _DEAD = "survey-counts.json", "survey-dead-letters.json"
_RECORDS = "records"
_MOST_ITEMS = 1_000_000
_HANDS = 64

# What a cluster's own page shows while it works.
_READ = Metrics.counter("rnnpipe", "records_read")
_DEAD_LETTERS = Metrics.counter("rnnpipe", "dead_letters")

_ALL = 0  # the one key under which all counts are summed

Item = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first pass found.

    Args:
        records: how many records each split will have.
        counts: what the recipe counted in the training split.
        dead_letters: raw records that could not even be referred to.
        repeats: records that have something in common which should tell them apart.
    """

    records: Counter[str]
    counts: Counts
    dead_letters: list[DeadLetter]
    repeats: list[Repeat]


class CountReferences(beam.PTransform):
    """Pieces of raw data → files of counts, dead letters and repeats in `folder`.

    Args:
        source: reads the pieces.
        recipe: says what to count.
        splitter: says which split a reference belongs to.
        folder: where the files go.
        spread: whether the pieces are so few that what was read has to be dealt out again, for all
            workers to have a share of the counting.
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        splitter: Splitter,
        folder: Path,
        spread: bool = False,
    ) -> None:
        super().__init__()
        self._source, self._recipe, self._splitter = source, recipe, splitter
        self._folder, self._spread = folder, spread

    def expand(self, pieces: Any) -> Any:
        """Applies the transform; Beam calls it."""
        raw = pieces | "Read" >> beam.FlatMap(self._source.read)
        if self._spread:
            raw = raw | "Spread" >> _Spread()
        counts = (
            raw
            | "Count" >> beam.ParDo(_CountItems(self._recipe, self._splitter))
            | "Parcels" >> Parcels(int)
            | "GatherCounts" >> beam.GroupByKey()
            | "WriteCounts" >> beam.Map(_write_counts, self._folder / _COUNTS)
        )
        dead = (
            raw
            | "KeepDead" >> beam.FlatMap(_dead_rows)
            | "GatherDead" >> beam.combiners.ToList()
            | "WriteDead" >> beam.Map(_write_json, self._folder / _DEAD)
        )
        repeats = raw | "Repeats" >> FindRepeats(self._recipe, self._splitter, self._folder)
        return (counts, dead, repeats) | "All" >> beam.Flatten()


class _Spread(beam.PTransform):
    """Deals out what few workers have read to all of them."""

    def expand(self, raw: Any) -> Any:
        return (
            raw
            | "Deal" >> beam.Map(_deal)
            | "Parcels" >> Parcels(int)
            | "Gather" >> beam.GroupByKey()
            | "Unpack" >> beam.FlatMap(_unpack)
        )


def _deal(raw: Reference | DeadLetter) -> tuple[int, Reference | DeadLetter]:
    return zlib.crc32(raw.key.encode()) % _HANDS, raw


def _unpack(gathered: tuple[int, Iterable[bytes]]) -> Iterator[Reference | DeadLetter]:
    return unpack(gathered[1])


def _dead_rows(raw: Reference | DeadLetter) -> Iterator[list[str]]:
    if isinstance(raw, DeadLetter):
        yield [raw.key, raw.source, raw.step, raw.reason]


class _CountItems(beam.DoFn):
    """Counts in the worker, so that few counts travel and not every word of every text."""

    def __init__(self, recipe: Recipe, splitter: Splitter) -> None:
        super().__init__()
        self._recipe, self._splitter = recipe, splitter

    def start_bundle(self) -> None:
        self._counts: Counter[Item] = Counter()

    def process(self, raw: Reference | DeadLetter) -> Iterator[tuple[int, Counter[Item]]]:
        if isinstance(raw, DeadLetter):
            _DEAD_LETTERS.inc()
            return
        _READ.inc()
        split = self._splitter.split_of(raw)
        self._counts[_RECORDS, split] += 1
        if split == "train":
            self._counts.update(self._recipe.count(raw))
        if len(self._counts) > _MOST_ITEMS:
            yield _ALL, self._counts
            self.start_bundle()

    def finish_bundle(self) -> Iterator[Any]:
        yield GlobalWindows.windowed_value_at_end_of_window((_ALL, self._counts))


def _write_counts(gathered: tuple[int, Iterable[bytes]], path: Path) -> None:
    total: Counter[Item] = Counter()
    for counts in unpack(gathered[1]):
        total.update(counts)
    _write_json(list(total.items()), path)


def _write_json(rows: list[Any], path: Path) -> None:
    # One worker writes; a retry replaces the file with the same content.
    temporary = path.with_suffix(".writing")
    temporary.write_text(json.dumps(rows))
    temporary.replace(path)


def read_survey(folder: Path) -> Survey:
    """What `CountReferences` wrote into `folder`; the files are removed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, item), count in json.loads((folder / _COUNTS).read_text()):
        counts[name][item] = count
    dead = [DeadLetter(*row) for row in json.loads((folder / _DEAD).read_text())]
    for name in (_COUNTS, _DEAD):
        (folder / name).unlink()
    return Survey(counts.pop(_RECORDS, Counter()), counts, dead, read_repeats(folder))
