"""The base class of recipes: how a build makes one kind of record."""

import heapq
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from rnnpipe.errors import BadRecord
from rnnpipe.records.specs import RecordSpec
from rnnpipe.settings import Settings
from rnnpipe.sources.source import Reference


class Tally(Counter[str]):
    """How often items occur; of very many, the most frequent and how many others there are.

    Which items are kept does not depend on the order in which they were added, provided that each
    is added once.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._others, self._others_total = 0, 0

    @property
    def distinct(self) -> int:
        """How many items there are, with those that are not kept."""
        return len(self) + self._others

    def total(self) -> int:
        """How often all of them occur, with those that are not kept."""
        return super().total() + self._others_total

    def keep_most_frequent(self, most: int) -> None:
        """Leaves the most frequent items, ties in the order of the alphabet."""
        distinct, total = self.distinct, self.total()
        kept = heapq.nsmallest(most, self.items(), key=lambda item: (-item[1], item[0]))
        self.clear()
        self.update(dict(kept))
        self._others, self._others_total = distinct - len(self), total - super().total()


Counts = Mapping[str, Tally]
"""How often each item occurs in the training split, under the name of what was counted."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A record ready to be written.

    Args:
        values: a value for every field of the record's declaration.
        measures: whole numbers that `stats.json` shows as histograms, e.g. lengths. One that is
            called like a sequence of the record, or like its axis, is how many items that has.
        contents: hashes of what it is made from, by what that is (`image`, `video`, `document`);
            of the records of a unit, the first counts.
    """

    values: Mapping[str, Any]
    measures: Mapping[str, int]
    contents: Mapping[str, str] = field(default_factory=dict)


class Dropped(Exception):
    """A valid record that the recipe excludes: it is counted, but is no dead letter."""


Outcome = Encoded | BadRecord | Dropped
"""A record, or why there is none."""


class Encoder(ABC):
    """Turns references into records; picklable, as it is sent to the workers."""

    @abstractmethod
    def encode(self, reference: Reference) -> Encoded:
        """The record that a reference stands for; its `split` is the one that it is written to.

        Raises:
            BadRecord: it cannot be read or encoded.
            Dropped: the recipe leaves such records out.
        """

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The outcome of each reference of a shard, in order; some encoders work in batches."""
        for reference in references:
            try:
                yield reference, self.encode(reference)
            except (BadRecord, Dropped) as fault:
                yield reference, fault


@dataclass(frozen=True, slots=True)
class Drops:
    """Which duplicates are left out of the training split, by the name of an identity.

    Args:
        duplicates_of: all but the first of the training records that share it.
        leaks_of: the training records that share it with one of another split.
    """

    duplicates_of: str | None = None
    leaks_of: str | None = None


class Recipe(Settings, ABC):
    """How one kind of record is made; a subclass declares its settings."""

    libraries: ClassVar[Sequence[str]] = ("pillow", "sentencepiece")
    """The distributions whose versions show in the bytes of the records."""

    @property
    @abstractmethod
    def spec(self) -> RecordSpec:
        """The kind of record."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on beside the raw data; JSON values, for the fingerprint."""
        return _describe(self)

    @abstractmethod
    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """What to count of a training record: pairs of a counter's name and an item."""

    def identities(self, reference: Reference) -> Mapping[str, str]:
        """By name, the values that duplicates of this record share; the build reports them."""
        return {}

    @property
    def drops(self) -> Drops:
        """Which duplicates the build leaves out of the training split."""
        return Drops()

    @abstractmethod
    def learn(self, counts: Counts, folder: Path) -> Encoder:
        """The encoder that the counts lead to; its vocabularies are written into `folder`.

        Raises:
            UserError: the counts give no vocabulary.
        """

    @abstractmethod
    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """What `stats.json` keeps of the counts."""

    def count_notices(self, counts: Counts) -> Sequence[str]:
        """What the counts show that is worth a notice, a sentence each."""
        return ()

    def notices(self, split: str, totals: Mapping[str, int]) -> Sequence[str]:
        """What the sums of a split's measures show that is worth a notice, a sentence each."""
        return ()

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """What `stats.json` keeps of the sums of a split's measures, e.g. the unknown rate."""
        return {}


def _describe(section: Settings) -> dict[str, Any]:
    """Settings as JSON values; sections with `settings` of their own, e.g. of files, give those."""
    return {
        declared.name: _describe_value(getattr(section, declared.name))
        for declared in fields(section)
    }


def _describe_value(value: Any) -> Any:
    if not isinstance(value, Settings):
        return value
    return value.settings if hasattr(value, "settings") else _describe(value)
