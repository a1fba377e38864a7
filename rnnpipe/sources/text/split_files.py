"""A folder with one text file for each split."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.folder import list_folder
from rnnpipe.sources.source import Progress
from rnnpipe.sources.splits import (
    FIX_FILES,
    Split,
    left_out_notices,
    split_like,
    unread_folders,
)
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.source import TextFolder


@dataclass(frozen=True, slots=True)
class SplitFile:
    """The file of one split.

    Args:
        split: the split.
        path: the file.
    """

    split: str
    path: Path


File = TypeVar("File", bound=SplitFile)


class SplitFiles(TextFolder, Generic[File]):
    """A folder with one text file for each split, which is a partition.

    Raises:
        UserError: there is no such encoding.
    """

    suffixes: ClassVar[tuple[str, ...]]
    """How the names of the files end that may be read."""

    files: dict[Split, InnerPath] | None = setting(
        None, "the file of each split; null: by their names"
    )

    @abstractmethod
    def find_files(self) -> list[File]:
        """The file of each split.

        Raises:
            UserError: there is no folder, or no file of the training split.
        """

    def check(self) -> None:
        """The encoding exists."""
        check_encoding(self.encoding)

    @cached_property
    def split_files(self) -> list[File]:
        """See `find_files`."""
        return self.find_files()

    @cached_property
    def names(self) -> list[str]:
        """The names of the files that may be read."""
        return [name for name in list_folder(self._folder) if name.lower().endswith(self.suffixes)]

    @property
    def notices(self) -> Sequence[str]:
        """Such files without a split in their names, and others with one, if none were chosen."""
        if self.files is not None:
            return []
        there = {*self.names, *split_like(self._folder), *unread_folders(self._folder)}
        return left_out_notices(there - {file.path.name for file in self.split_files}, FIX_FILES)

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(file.split for file in self.split_files)

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there; see `Source`."""
        for done, file in enumerate(self.split_files, start=1):
            check_text_file(file.path, self.encoding)
            self.check_file(file)
            progress(done, len(self.split_files))

    def check_file(self, file: File) -> None:
        """Checks what more a file must have; by default nothing.

        Raises:
            UserError: it has it not.
        """
        del file

    def partitions(self) -> list[File]:
        """A partition for each file."""
        return list(self.split_files)

    def raw_files(self) -> Iterator[Path]:
        """The file of each split."""
        for file in self.split_files:
            yield file.path
