"""Folders of sounds or videos whose items are listed before a build begins."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

from rnnpipe.errors import DeadLetter
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.folder import absolute
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.storage.paths import as_path


class Item(Protocol):
    """What a folder lists: a clip, an utterance."""

    @property
    def path(self) -> str:
        """Its file."""

    @property
    def split(self) -> str:
        """The split that the raw data puts it in."""


Partition = tuple[Any, ...]
"""Items that one worker reads; those that cannot be read as dead letters."""


class ListedFolder(Source):
    """A folder of files with annotations; a subclass lists its items.

    Attributes:
        items_per_partition: how many items one worker reads at a time.
    """

    items_per_partition: ClassVar[int] = 50

    path: FilePath = setting(help="the folder")

    def __getstate__(self) -> dict[str, Any]:
        """Its settings: workers get their items in partitions, not all of them once more."""
        names = {each.name for each in fields(self)}
        return {key: value for key, value in vars(self).items() if key in names}

    @abstractmethod
    def find_items(self) -> Sequence[Any]:
        """All items of the folder; those that cannot be read as dead letters.

        Raises:
            UserError: the folder or a file of annotations is not as it should be.
        """

    @abstractmethod
    def annotation_files(self) -> Iterable[Path]:
        """The files that labels or texts come from."""

    @abstractmethod
    def refer(self, item: Any) -> Reference:
        """The reference to an item."""

    @property
    def folder(self) -> Path:
        """The folder, as every worker can open it."""
        return absolute(self.path)

    @cached_property
    def items(self) -> Sequence[Any]:
        """What `find_items` finds."""
        return self.find_items()

    @property
    def _good(self) -> Iterator[Item]:
        return (item for item in self.items if not isinstance(item, DeadLetter))

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(item.split for item in self._good)

    def prepare(self, progress: Progress) -> None:
        """Checks that the files and their annotations are there; see `Source`."""
        progress(len(self.items), len(self.items))

    def partitions(self) -> list[Partition]:
        """Some items each."""
        items, size = self.items, self.items_per_partition
        return [tuple(items[start : start + size]) for start in range(0, len(items), size)]

    def read(self, partition: Partition) -> Iterator[Reference | DeadLetter]:
        """The references to the items of a partition, see `refer`."""
        for item in partition:
            yield item if isinstance(item, DeadLetter) else self.refer(item)

    def raw_files(self) -> Iterator[Path]:
        """The files of annotations, and the files of items that are there."""
        yield from self.annotation_files()
        for path in map(as_path, dict.fromkeys(item.path for item in self._good)):
            if path.is_file():
                yield path
