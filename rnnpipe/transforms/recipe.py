"""What a build must be told about one kind of record."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rnnpipe.records.specs import RecordSpec
from rnnpipe.sources.source import Reference

Counts = Mapping[str, Counter[str]]
"""How often each item occurs in the training split, under the name of what was counted."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A record ready to be written.

    Args:
        values: a value for every field of the record's declaration.
        measures: whole numbers that `stats.json` shows as histograms, e.g. lengths.
    """

    values: Mapping[str, Any]
    measures: Mapping[str, int]


class Encoder(Protocol):
    """Turns references into records; picklable, as it travels to the workers."""

    def encode(self, reference: Reference) -> Encoded:
        """The record that a reference stands for.

        Raises:
            BadRecord: it cannot be read or encoded.
        """


class Recipe(Protocol):
    """How one kind of record is made."""

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on beside the raw data; JSON values, for the fingerprint."""

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """What to count of a training record: pairs of a counter's name and an item."""

    def learn(self, counts: Counts, folder: Path) -> Encoder:
        """The encoder that the counts lead to; its vocabularies are written into `folder`.

        Raises:
            UserError: the counts give no vocabulary.
        """

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """What `stats.json` keeps of the counts."""
