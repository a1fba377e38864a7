"""What a source of raw data is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rnnpipe.errors import DeadLetter

Progress = Callable[[int, int], None]
"""Told how many of how many items are done."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A raw record by name: small enough to travel between workers, payloads left where they are.

    Args:
        key: unique in the data set and the same on every machine.
        group: what must stay in one split, e.g. the image that several questions share.
        split: the split that the raw data puts it in (`train`, `validation` or `test`).
        fields: text, numbers and paths; never the bytes of an image or a video.
    """

    key: str
    group: str
    split: str
    fields: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        # What dataclasses with slots do of themselves takes five times as long.
        return Reference, (self.key, self.group, self.split, self.fields)


class Source(Protocol):
    """Raw data that a build reads: a folder of files, or a generator that writes one.

    It may also have `notices`, see `notices_of`.
    """

    kind: str

    @property
    def splits(self) -> frozenset[str]:
        """The splits that the raw data itself gives; the build holds the others out of `train`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on beside `files`; JSON values, for the fingerprint."""

    def prepare(self, progress: Progress) -> None:
        """Checks that the raw data is there, or writes it where the source makes its own.

        Raises:
            UserError: a file or folder is missing or is not what it should be.
        """

    def partitions(self) -> list[Any]:
        """Disjoint, picklable partitions of the raw data; one worker reads each."""

    def read(self, partition: Any) -> Iterator[Reference | DeadLetter]:
        """The raw records of one partition; those that cannot be referred to as dead letters."""

    def files(self) -> Iterable[Path]:
        """The files that the records depend on, for the fingerprint."""


def notices_of(source: Source) -> Sequence[str]:
    """What a source that is prepared says of raw data that it leaves out, in a sentence each."""
    return list(getattr(source, "notices", ()))
