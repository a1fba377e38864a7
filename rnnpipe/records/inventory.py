"""Compares the files of a data set with its manifest, so that what is read is what was built."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import Faults, UserError
from rnnpipe.records.manifest import MANIFEST, StoredFile
from rnnpipe.storage.atomic import write_json
from rnnpipe.storage.cache import cache_folder
from rnnpipe.storage.json_files import read_json_as

FIX = "build the records again with `rnnpipe build`"
_SHOWN = 5  # files that a message lists
_STEADY_NS = 2_000_000_000  # the coarsest clock of a file system's times

Progress = Callable[[int, int], None]
"""Called with the number of files that are done and their total."""


def no_progress(done: int, total: int) -> None:
    """Shows nothing."""


Identity = tuple[int, ...]
"""What changes when a file is written or replaced: inode, size, and two times."""


class DamagedRecords(Faults):
    """Records that are not as their build left them, a fault for each of some files."""


@dataclass(frozen=True)
class Inventory:
    """The files of a folder and what they are by the manifest.

    Reading a file in full costs about as much as the disk takes for it, so that each is read once:
    which ones were whole is remembered, in the user's cache, until they are written or replaced.

    Args:
        folder: where they lie.
        files: what each is, by its name in the folder.
    """

    folder: Path
    files: Mapping[str, StoredFile]
    _new: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def find_fault(self, name: str, *, in_full: bool = True) -> UserError | None:
        """What is wrong with a file; None if it is as the manifest has it.

        Args:
            name: the file.
            in_full: whether its checksum is compared, and not its size alone.
        """
        path, expected = self.folder / name, self.files[name]
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return UserError(str(path), f"a file of {expected.num_bytes:,} bytes", "none", FIX)
            if status.st_size != expected.num_bytes:
                wanted, got = f"{expected.num_bytes:,} bytes", f"{status.st_size:,}"
                return UserError(str(path), wanted, got, FIX)
            if not in_full or self._is_known(name, status):
                return None
            got_file = StoredFile.of(path)
        except OSError as fault:
            got = fault.strerror or str(fault)
            return UserError(str(path), f"a file of {expected.num_bytes:,} bytes", got, FIX)
        if got_file != expected:
            return UserError(str(path), f"{expected}, as {MANIFEST} has it", f"{got_file}", FIX)
        self._remember(name, status)
        return None

    def find_faults(
        self,
        names: Iterable[str],
        *,
        in_full: bool = True,
        progress: Progress = no_progress,
    ) -> dict[str, UserError]:
        """What is wrong with files, by name; see `find_fault`.

        Args:
            names: the files.
            in_full: whether checksums are compared, and not sizes alone.
            progress: called with the files that are compared, if any of them is read.
        """
        names = list(names)
        if not (in_full and any(map(self._is_unread, names))):
            progress = no_progress
        faults = {}
        for done, name in enumerate(names, start=1):
            if fault := self.find_fault(name, in_full=in_full):
                faults[name] = fault
            progress(done, len(names))
        self._save()
        return faults

    def check(
        self,
        names: Iterable[str],
        *,
        in_full: bool = True,
        progress: Progress = no_progress,
    ) -> None:
        """Compares files with the manifest; see `find_faults` for the arguments.

        Raises:
            DamagedRecords: files are missing, damaged or those of another data set.
        """
        faults = list(self.find_faults(names, in_full=in_full, progress=progress).values())
        if len(faults) > _SHOWN:
            more = f"{len(faults) - _SHOWN + 1} more that are not"
            rest = UserError(str(self.folder), "files as they were built", more, FIX)
            faults = [*faults[: _SHOWN - 1], rest]
        if faults:
            raise DamagedRecords(faults)

    def forget(self) -> None:
        """Has all files read again: a disk may lose what is on it without a change of its times."""
        self._known.clear()

    def _is_unread(self, name: str) -> bool:
        try:
            return not self._is_known(name, (self.folder / name).stat())
        except OSError:
            return False

    def _is_known(self, name: str, status: os.stat_result) -> bool:
        return bool(self._known.get(name) == [self.files[name].crc32c, *_identify(status)])

    def _remember(self, name: str, status: os.stat_result) -> None:
        # What was written just now may be written once more without a change of its times.
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _STEADY_NS:
            entry = [self.files[name].crc32c, *_identify(status)]
            self._known[name] = self._new[name] = entry

    @cached_property
    def _known(self) -> dict[str, Any]:
        try:
            return read_json_as(dict[str, Any], self._memory)
        except (OSError, ValueError):
            return {}

    def _save(self) -> None:
        if not self._new:
            return
        self._new.clear()
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._memory, self._known)
        except OSError:  # it is read in full next time
            return

    @property
    def _memory(self) -> Path:
        name = hashlib.sha256(os.fsencode(self.folder.absolute())).hexdigest()[:16]
        return cache_folder("checked") / f"{name}.json"


def _identify(status: os.stat_result) -> Identity:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
