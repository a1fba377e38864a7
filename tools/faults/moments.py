"""Moments in the life of a command: when it comes to a file for the n-th time, or after a while."""

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.faults.child import log_folder

_EVENTS = {
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.scandir"),
    *("os.listdir", "os.chmod", "shutil.rmtree", "shutil.copyfile"),
}


class FileEvents:
    """Counts the file operations of a process below a folder, and acts before one of them.

    They are those that Python announces to audit hooks, which stay for the life of a process:
    this is for a child. In the end it writes their number to a file, see `read_count`.

    Args:
        folder: the folder; its subfolder `cache` does not count.
        at: before which operation, counted from 1; 0: never.
        act: what is done then.
    """

    def __init__(self, folder: Path, at: int = 0, act: Callable[[], object] = lambda: None) -> None:
        self._folder, self._file = f"{folder}/", _count_file(folder)
        self._ignored = f"{folder}/cache/"
        self._at, self._act, self._count = at, act, 0

    def install(self) -> None:
        """Counts from now on."""
        sys.addaudithook(self._hear)
        atexit.register(lambda: self._file.write_text(str(self._count), encoding="ascii"))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not arguments:
            return
        path = arguments[0]
        path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if path.startswith(self._folder) and not path.startswith(self._ignored):
            self._count += 1
            if self._count == self._at:
                self._act()


def read_count(folder: Path) -> int:
    """How many operations the last command had."""
    return int(_count_file(folder).read_text(encoding="ascii"))


def _count_file(folder: Path) -> Path:
    return log_folder(folder) / "operations"
