"""The copy of a data set in an object store, file by file as they are asked for."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.inventory import DamagedRecords, Inventory, Progress, no_progress
from rnnpipe.records.layout import is_shard
from rnnpipe.records.manifest import MANIFEST, Manifest, StoredFile
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.cache import cache_folder
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.storage.store_path import StorePath

_AT_ONCE = 8
_FULL_DISK_FIX = "make room, or let XDG_CACHE_HOME name a folder on another disk"


@dataclass(frozen=True)
class Copy:
    """A folder in the user's cache for the files of one published data set.

    Args:
        origin: where the data set is published.
        manifest: what it consists of.
    """

    origin: StorePath
    manifest: Manifest

    @classmethod
    def open(cls, origin: StorePath) -> "Copy":
        """The copy of what is published now, with all but the record files.

        Raises:
            FileNotFoundError: nothing is published.
            NotOurs: what looks like it is something else's.
            DamagedRecords: a file is not as it was published.
            UserError: the store refuses, or the disk is full.
        """
        manifest = Manifest.read(origin)
        if manifest is None:
            raise FileNotFoundError(f"{MANIFEST} is missing")
        copy = cls(origin, manifest)
        copy.fetch(name for name in manifest.files if not is_shard(name))
        return copy

    @cached_property
    def inventory(self) -> Inventory:
        """What its files are to be."""
        return Inventory(self.folder, self.manifest.files)

    @property
    def folder(self) -> Path:
        """Where it lies: another one for each data set that was ever published at this place."""
        name = hashlib.sha256(f"{self.origin}/{self.manifest.build}".encode()).hexdigest()[:12]
        return cache_folder("fetched") / f"{self.origin.name}-{name}"

    def fetch(self, names: Iterable[str], progress: Progress = no_progress) -> None:
        """Copies the files that are not here as published, several at once, whole or not at all.

        Args:
            names: the files.
            progress: called with the files there are and their total, unless none was missing.

        Raises:
            DamagedRecords: one is not as it was published.
            UserError: the store refuses, or the disk is full.
        """
        requested = list(names)
        missing = list(self.inventory.find_faults(requested))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            here = len(requested) - len(missing)
            for done, _ in enumerate(pool.map(self._fetch, missing), start=here + 1):
                progress(done, len(requested))

    def check_origin(self) -> None:
        """Compares the sizes of what is published with the manifest, and copies nothing.

        Raises:
            DamagedRecords: a file is gone, or of another size.
            UserError: the store refuses.
        """
        folder = self.origin / self.manifest.build
        sizes = folder.list_sizes()
        for name, file in self.manifest.files.items():
            if sizes.get(name) != file.num_bytes:
                got = f"{sizes[name]:,} bytes" if name in sizes else "no such object"
                raise _changed(folder / name, got)

    def _fetch(self, name: str) -> None:
        path = self.folder / name
        stored = self.origin / self.manifest.build / name
        try:
            with report_full_disk("a copy of the records", self.folder, _FULL_DISK_FIX):
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as unfinished:
                    stored.download(unfinished)
                    self._check(stored, StoredFile.of(unfinished), self.manifest.files[name])
        except FileNotFoundError as fault:
            raise _changed(stored, "no such object") from fault

    @staticmethod
    def _check(stored: StorePath, got: StoredFile, expected: StoredFile) -> None:
        if got != expected:
            raise _changed(stored, f"{got}, not {expected}")


def _changed(stored: StorePath, got: str) -> DamagedRecords:
    fix = "if it was built anew meanwhile, start again; else remove it and build it again"
    return DamagedRecords([UserError(str(stored), "the file that was published", got, fix)])
