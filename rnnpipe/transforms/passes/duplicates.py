"""Records that occur more than once: duplicates within a split, and leaks between splits."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import DeadLetter
from rnnpipe.records.layout import SPLITS
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.passes.external_sort import external_sort
from rnnpipe.transforms.passes.scratch import scratch_folder, write_lines
from rnnpipe.transforms.passes.shuffle import BatchForShuffle, Shuffle, unbatch
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Drops, Recipe

DUPLICATES = "duplicates"
_DROPPED, _COUNTED = ".dropped", ".counted"

_KINDS = ("duplicates", "leaks")
_SPLIT_PAIRS = list(combinations(SPLITS, 2))
_WHERE = [*SPLITS, *(f"{later} in {earlier}" for earlier, later in _SPLIT_PAIRS)]

DUPLICATE, LEAK = "duplicate in train", "in train and in another split"

Tallies = dict[str, Counter[str]]
"""How many duplicates there are by split, and how many leaks by two splits."""

Repeats = dict[str, dict[str, dict[str, int]]]
"""The same by the name of an identity, see `read_duplicates`."""

Identified = tuple[str, str, str, str, str]
"""The name and the value of an identity; split, key and unit of a record that has it."""


class FindDuplicates(beam.PTransform):
    """Raw records → files in `folder`: counts of duplicates, and which records to drop.

    Args:
        recipe: defines the identities of a record, and which duplicates are dropped.
        splitter: assigns references to splits.
        folder: where the records are built.
        shuffle: how equal identities are grouped.
    """

    def __init__(self, recipe: Recipe, splitter: Splitter, folder: Path, shuffle: Shuffle) -> None:
        super().__init__()
        self._recipe, self._splitter, self._shuffle = recipe, splitter, shuffle
        self._finder = _Finder(recipe.drops, folder)

    def expand(self, raw: Any) -> Any:
        """Applies the transform; Beam calls it."""
        return (
            raw
            | "Identify"
            >> beam.FlatMap(_identities_of, self._recipe, self._splitter, self._shuffle)
            | "Batch" >> BatchForShuffle(int, self._shuffle)
            | "GatherSame" >> beam.GroupByKey()
            | "WriteDuplicates" >> beam.Map(self._finder.find)
        )


def _identities_of(
    raw: Reference | DeadLetter, recipe: Recipe, splitter: Splitter, shuffle: Shuffle
) -> Iterator[tuple[int, Identified]]:
    if isinstance(raw, Reference):
        if not (identities := recipe.identities(raw)):
            return
        split = splitter.split_of(raw)
        for name, value in identities.items():
            yield shuffle.bucket_of(value), (name, value, split, raw.key, raw.unit)


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the duplicates of a bucket in one sorted scan, without holding its records."""

    drops: Drops
    folder: Path

    def find(self, gathered: tuple[int, Iterable[bytes]]) -> None:
        bucket, batches = gathered
        counts: dict[str, Tallies] = {}
        dropped = map(json.dumps, self._dropped(unbatch(batches), counts))
        write_lines(self.folder, DUPLICATES, f"{bucket}{_DROPPED}", dropped)
        write_lines(self.folder, DUPLICATES, f"{bucket}{_COUNTED}", [json.dumps(counts)])

    def _dropped(
        self, identified: Iterable[Identified], counts: dict[str, Tallies]
    ) -> Iterator[tuple[str, str, bool]]:
        """Key and unit of each record to drop, and whether it is a leak; adds to `counts`."""
        in_order = external_sort(identified, key=_order)
        for (name, _), same in groupby(in_order, key=itemgetter(0, 1)):
            by_split: Counter[str] = Counter()
            for _, _, split, key, unit in same:
                if split == "train":  # all others have come before
                    if name == self.drops.leaks_of and by_split.total() > by_split[split]:
                        yield key, unit, True
                    elif name == self.drops.duplicates_of and by_split[split]:
                        yield key, unit, False
                by_split[split] += 1
            if by_split.total() > 1:
                count_repeats(counts.setdefault(name, empty_tallies()), by_split)


def _order(identified: Identified) -> tuple[str, str, bool, str, str]:
    name, value, split, key, _ = identified
    return name, value, split == "train", split, key


def empty_tallies() -> Tallies:
    """No duplicates and no leaks."""
    return {kind: Counter() for kind in _KINDS}


def count_repeats(of_name: Tallies, by_split: Counter[str]) -> None:
    """Adds what has one identity, by split, to the duplicates and leaks."""
    for split, number in by_split.items():
        of_name["duplicates"][split] += number - 1
    for earlier, later in _SPLIT_PAIRS:
        if by_split[earlier]:
            of_name["leaks"][f"{later} in {earlier}"] += by_split[later]


def read_duplicates(folder: Path) -> Repeats:
    """The counts of `FindDuplicates`, by the name of the identity.

    Returns:
        For each name `duplicates`, by split, the number of records beside the first of each
        identity; and `leaks`, by two splits (`test in train`), the records of one that share an
        identity with the other.
    """
    counts: dict[str, Tallies] = {}
    for path in scratch_folder(folder, DUPLICATES).glob(f"*{_COUNTED}"):
        for name, kinds in json.loads(path.read_text(encoding="utf-8")).items():
            of_name = counts.setdefault(name, empty_tallies())
            for kind in _KINDS:
                of_name[kind].update(kinds[kind])
    return sum_up(counts)


def sum_up(counts: Mapping[str, Tallies]) -> Repeats:
    """The numbers that are not zero, in the order of names and splits."""
    return {
        name: {
            kind: {where: number[where] for where in _WHERE if number[where]}
            for kind, number in counts[name].items()
        }
        for name in sorted(counts)
    }


@dataclass(frozen=True, slots=True)
class Drop:
    """A mark that a training record is left out.

    Args:
        record: its key, and its unit as the group; it has no fields.
        leak: whether another split has its identity; else training has it before.
    """

    record: Reference
    leak: bool


def drop_files(folder: Path) -> list[Path]:
    """The files in which `FindDuplicates` listed the records to drop."""
    paths = sorted(scratch_folder(folder, DUPLICATES).glob(f"*{_DROPPED}"))
    return [path for path in paths if path.stat().st_size]


def read_drops(path: Path) -> Iterator[Drop]:
    """The marks in such a file."""
    with path.open(encoding="utf-8") as file:
        for key, unit, leak in map(json.loads, file):
            yield Drop(Reference(key, unit, "train", {}), leak)


def duplicate_notices(
    counts: Mapping[str, Mapping[str, Mapping[str, int]]], records: Mapping[str, int]
) -> list[str]:
    """Notices about the duplicates, one sentence each.

    Args:
        counts: see `read_duplicates`.
        records: how many records each split has.

    Example:
        >>> counts = {"source": {"leaks": {"test in train": 12}, "duplicates": {"train": 3}}}
        >>> for sentence in duplicate_notices(counts, {"train": 900, "test": 100}):
        ...     print(sentence)
        the source of 12 of 100 test records is in train too
        the source of 3 of 900 train records occurs before in the same split
    """
    notices = []
    for name, kinds in counts.items():
        for where, number in kinds["leaks"].items():
            later, _, earlier = where.partition(" in ")
            of = f"{number:,} of {records[later]:,} {later} records"
            notices.append(f"the {name} of {of} is in {earlier} too")
        numbers = [
            f"{number:,} of {records[split]:,} {split}"
            for split, number in kinds["duplicates"].items()
        ]
        if numbers:
            of = f"{' and '.join(numbers)} records"
            notices.append(f"the {name} of {of} occurs before in the same split")
    return notices
