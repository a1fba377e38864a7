"""The first pass over the raw data: how many records there are, and what to learn from them."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.source import Reference, Source
from rnnpipe.transforms.recipe import Counts, Recipe
from rnnpipe.transforms.repeats import FindRepeats, Repeat, read_repeats
from rnnpipe.transforms.splits import Splitter

_COUNTS, _DEAD = "survey-counts.json", "survey-dead-letters.json"
_RECORDS = "records"

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
    """Pieces of raw data → files of counts, dead letters and repeats in `folder`."""

    def __init__(self, source: Source, recipe: Recipe, splitter: Splitter, folder: Path) -> None:
        super().__init__()
        self._source, self._recipe, self._splitter = source, recipe, splitter
        self._folder = folder

    def expand(self, pieces: Any) -> Any:
        """Applies the transform; Beam calls it."""
        raw = pieces | "Read" >> beam.FlatMap(self._source.read)
        counts = (
            raw
            | "Count" >> beam.FlatMap(_items_of, self._recipe, self._splitter)
            | "Sum" >> beam.combiners.Count.PerElement()
            | "GatherCounts" >> beam.combiners.ToList()
            | "WriteCounts" >> beam.Map(_write_json, self._folder / _COUNTS)
        )
        dead = (
            raw
            | "KeepDead" >> beam.FlatMap(_dead_rows)
            | "GatherDead" >> beam.combiners.ToList()
            | "WriteDead" >> beam.Map(_write_json, self._folder / _DEAD)
        )
        repeats = raw | "Repeats" >> FindRepeats(self._recipe, self._splitter, self._folder)
        return (counts, dead, repeats) | "All" >> beam.Flatten()


def _dead_rows(raw: Reference | DeadLetter) -> Iterator[list[str]]:
    if isinstance(raw, DeadLetter):
        yield [raw.key, raw.source, raw.step, raw.reason]


def _items_of(raw: Reference | DeadLetter, recipe: Recipe, splitter: Splitter) -> Iterator[Item]:
    if isinstance(raw, DeadLetter):
        return
    split = splitter.split_of(raw)
    yield _RECORDS, split
    if split == "train":
        yield from recipe.count(raw)


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
