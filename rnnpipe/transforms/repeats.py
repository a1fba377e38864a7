"""Records that occur more than once: duplicates within a split, and leaks between splits."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import DeadLetter
from rnnpipe.records.layout import SPLITS
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.parcels import Parcels, unpack
from rnnpipe.transforms.recipe import Recipe
from rnnpipe.transforms.splits import Splitter

_REPEATS = "survey-repeats.json"
_BUCKETS = 64

_SPLIT_PAIRS = list(combinations(SPLITS, 2))
_PLACES = [*SPLITS, *(f"{later} in {earlier}" for earlier, later in _SPLIT_PAIRS)]

DUPLICATE, LEAK = "duplicate in train", "in train and in another split"

Place = tuple[str, str]
"""The split and the key of a record."""

Item = tuple[str, str]
"""The name and the value of an identity."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Records that have something in common.

    Args:
        name: what, e.g. `source`.
        places: the split and the key of each, in order.
    """

    name: str
    places: Sequence[Place]


class FindRepeats(beam.PTransform):
    """Raw records → a file of repeats in `folder`."""

    def __init__(self, recipe: Recipe, splitter: Splitter, folder: Path) -> None:
        super().__init__()
        self._recipe, self._splitter, self._folder = recipe, splitter, folder

    def expand(self, raw: Any) -> Any:
        """Applies the transform; Beam calls it."""
        return (
            raw
            | "Identify" >> beam.FlatMap(_identities_of, self._recipe, self._splitter)
            | "Parcels" >> Parcels(int)
            | "GatherSame" >> beam.GroupByKey()
            | "KeepRepeats" >> beam.FlatMap(_repeat_rows)
            | "GatherRepeats" >> beam.combiners.ToList()
            | "WriteRepeats" >> beam.Map(_write_repeats, self._folder)
        )


def _identities_of(
    raw: Reference | DeadLetter, recipe: Recipe, splitter: Splitter
) -> Iterator[tuple[int, tuple[Item, Place]]]:
    if isinstance(raw, Reference):
        place = splitter.split_of(raw), raw.key
        for item in recipe.identities(raw).items():
            yield zlib.crc32(item[1].encode()) % _BUCKETS, (item, place)


def _repeat_rows(gathered: tuple[int, Iterable[bytes]]) -> Iterator[list[Any]]:
    places: dict[Item, list[Place]] = {}
    for item, place in unpack(gathered[1]):
        places.setdefault(item, []).append(place)
    for (name, _), several in places.items():
        if len(several) > 1:
            yield [name, sorted(several)]


def _write_repeats(rows: list[Any], folder: Path) -> None:
    # One worker writes; a retry replaces the file with the same content.
    temporary = (folder / _REPEATS).with_suffix(".writing")
    temporary.write_text(json.dumps(rows))
    temporary.replace(folder / _REPEATS)


def read_repeats(folder: Path) -> list[Repeat]:
    """What `FindRepeats` wrote into `folder`; the file is removed."""
    path = folder / _REPEATS
    rows = json.loads(path.read_text())
    path.unlink()
    return [Repeat(name, [(split, key) for split, key in places]) for name, places in rows]


def count_repeats(repeats: Iterable[Repeat]) -> dict[str, dict[str, dict[str, int]]]:
    """By what records have in common: how many repeat an earlier one of their split, and leaks.

    Returns:
        For each name `duplicates`, by split, the records beside the first of their kind; and
        `leaks`, by two splits (`test in train`), the records of one whose like is in the other.
    """
    counts: dict[str, dict[str, Counter[str]]] = {}
    for repeat in repeats:
        of_name = counts.setdefault(repeat.name, {"duplicates": Counter(), "leaks": Counter()})
        by_split = Counter(split for split, _ in repeat.places)
        for split, number in by_split.items():
            of_name["duplicates"][split] += number - 1
        for earlier, later in _SPLIT_PAIRS:
            if by_split[earlier]:
                of_name["leaks"][f"{later} in {earlier}"] += by_split[later]
    return {
        name: {
            kind: {where: number[where] for where in _PLACES if number[where]}
            for kind, number in counts[name].items()
        }
        for name in sorted(counts)
    }


def keys_to_drop(
    repeats: Iterable[Repeat], *, duplicates_of: str | None, leaks_of: str | None
) -> dict[str, str]:
    """The training records to leave out, each with the reason; other splits stay as they are.

    Args:
        repeats: what was found.
        duplicates_of: leave out all but the first of the records that have this in common.
        leaks_of: leave out the records that have this in common with one of another split.
    """
    dropped: dict[str, str] = {}
    for repeat in repeats:
        training = [key for split, key in repeat.places if split == "train"]
        if repeat.name == leaks_of and len(training) < len(repeat.places):
            dropped |= dict.fromkeys(training, LEAK)
        elif repeat.name == duplicates_of:
            dropped = dict.fromkeys(training[1:], DUPLICATE) | dropped
    return dropped


def tell_repeats(
    counts: Mapping[str, Mapping[str, Mapping[str, int]]], records: Mapping[str, int]
) -> list[str]:
    """What a user should know of the repeats, a sentence each.

    Args:
        counts: see `count_repeats`.
        records: how many records each split has.

    Example:
        >>> found = {"source": {"leaks": {"test in train": 12}, "duplicates": {"train": 3}}}
        >>> for sentence in tell_repeats(found, {"train": 900, "test": 100}):
        ...     print(sentence)
        the source of 12 of 100 test records is in train too
        the source of 3 of 900 train records occurs before in the same split
    """
    told = []
    for name, kinds in counts.items():
        for where, number in kinds["leaks"].items():
            later, _, earlier = where.partition(" in ")
            of = f"{number:,} of {records[later]:,} {later} records"
            told.append(f"the {name} of {of} is in {earlier} too")
        numbers = [
            f"{number:,} of {records[split]:,} {split}"
            for split, number in kinds["duplicates"].items()
        ]
        if numbers:
            of = f"{' and '.join(numbers)} records"
            told.append(f"the {name} of {of} occurs before in the same split")
    return told
