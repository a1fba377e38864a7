"""What a source of raw data is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter
from rnnpipe.settings import Settings

Progress = Callable[[int, int], None]
"""Called with the number of items that are done and that of all items."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A raw record by name: small enough to travel between workers, payloads left where they are.

    Args:
        key: unique in the data set and the same on every machine.
        group: what must stay in one split, e.g. the image that several questions share, or a
            speaker.
        split: the split that the raw data puts it in (`train`, `validation` or `test`).
        fields: text, numbers and paths; never the bytes of an image or a video.
        file: of a group that is more than one worker should read in one go, such as a speaker, what
            it does read in one go: a recording; empty: the group.
    """

    key: str
    group: str
    split: str
    fields: dict[str, Any]
    file: str = ""

    @property
    def unit(self) -> str:
        """What one worker reads in one go, record by record in the order of their keys."""
        return self.file or self.group

    def __reduce__(self) -> tuple[Any, ...]:
        # What dataclasses with slots do of themselves takes five times as long.
        return Reference, (self.key, self.group, self.split, self.fields, self.file)


class Source(Settings, ABC):
    """Raw data that a build reads: a folder of files, or a generator that writes one.

    A source is its own settings: a subclass declares them, and a config picks it by its `kind`.
    """

    kind: str

    @property
    @abstractmethod
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives; the build holds the others out of `train`."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on beside `raw_files`; JSON values."""

    @property
    def notices(self) -> Sequence[str]:
        """What a prepared source leaves out of the raw data, in a sentence each."""
        return ()

    @property
    def empty_split_fix(self) -> str:
        """What helps where no record falls into a split that is held out of `train`."""
        return "give more raw data or a larger share"

    @abstractmethod
    def prepare(self, progress: Progress) -> None:
        """Checks that the raw data is there, or writes it where the source makes its own.

        Raises:
            UserError: a file or folder is missing or is not what it should be.
        """

    @abstractmethod
    def partitions(self) -> list[Any]:
        """Disjoint, picklable partitions of the raw data; one worker reads each."""

    @abstractmethod
    def read(self, partition: Any) -> Iterator[Reference | DeadLetter]:
        """The raw records of one partition; those that cannot be referred to as dead letters."""

    @abstractmethod
    def raw_files(self) -> Iterable[Path]:
        """The files that the records depend on, for the fingerprint."""
