"""The base class of sources that generate their raw files."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.folder import absolute, list_folder
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.cache import cache_folder
from rnnpipe.storage.leftovers import remove_leftovers
from rnnpipe.storage.store_path import StorePath

_FIX = "name another folder as data.source.path"


class GeneratedSource(Source):
    """Generates raw files once, for each choice of settings in a folder of its own.

    The folders go where `path` is: a folder that is missing, empty or holds such folders only. A
    family of sources has subclasses that are also of that family, e.g.
    `class Shapes(GeneratedSource, VqaSource)`.
    """

    path: FilePath | None = setting(None, "where the raw files are written; null: in the cache")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The declared settings, without the path."""
        names = (declared.name for declared in fields(self))
        return {name: getattr(self, name) for name in names if name not in ("kind", "path")}

    @cached_property
    def settings_hash(self) -> str:
        """A hash of all settings, for the folder's name where they are many."""
        settings = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(settings.encode()).hexdigest()[:8]

    @property
    @abstractmethod
    def folder_name(self) -> str:
        """The name of the data set's folder, unique to its settings."""

    @abstractmethod
    def write(self, folder: Path, progress: Progress) -> None:
        """Writes the raw files into an empty folder."""

    @abstractmethod
    def open(self, folder: Path) -> Source:
        """The source that reads the files."""

    @cached_property
    def root(self) -> Path:
        """The folder that holds the folders of all settings."""
        return absolute(cache_folder("raw") / self.kind if self.path is None else self.path)

    @property
    def folder(self) -> Path:
        """The folder of this data set."""
        return self.root / self.folder_name

    @cached_property
    def _reader(self) -> Source:
        return self.open(self.folder)

    @property
    def split_names(self) -> frozenset[str]:
        """The splits of the generated files."""
        return self._reader.split_names

    def prepare(self, progress: Progress) -> None:
        """Writes the data set, if it is not there; see `Source`."""
        if isinstance(self.root, StorePath):
            fix = "name one, or write it there and copy it to the store"
            expected = f"a folder of this machine for what {self.kind} writes"
            raise UserError(str(self.root), expected, "an object store", fix)
        if self.root.is_dir():
            remove_leftovers(self.root)  # of what was killed while it wrote
        if not self.folder.exists():
            self._check_place()
            self._publish(progress)
        self._reader.prepare(lambda done, total: None)

    def _check_place(self) -> None:
        """Refuses a folder with other files, so that they are neither changed nor mixed."""
        start = f"{self.kind}-"
        others = [name for name in list_folder(self.root) if not name.startswith(start)]
        if others or self.root.is_file():
            expected = f"a place for {self.kind}: a folder that is empty or not there yet"
            got = f"a folder with other files ({min(others)})" if others else "a file"
            raise UserError(str(self.root), expected, got, _FIX)

    def _publish(self, progress: Progress) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.folder) as unfinished:
                unfinished.mkdir()
                self.write(unfinished, progress)
        except OSError as fault:
            if not self.folder.exists():  # unless another process was faster
                got = fault.strerror or str(fault)
                raise UserError(
                    str(self.folder), "a folder that can be written", got, _FIX
                ) from fault

    def partitions(self) -> list[Any]:
        """See `Source`; delegates to the reader of the files."""
        return self._reader.partitions()

    def read(self, partition: Any) -> Iterator[Reference | DeadLetter]:
        """See `Source`; delegates to the reader of the files."""
        return self._reader.read(partition)

    def raw_files(self) -> Iterable[Path]:
        """See `Source`; delegates to the reader of the files."""
        return self._reader.raw_files()
