"""What killed processes leave behind, recognised by the host and the process in its name."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INCOMPLETE = ".incomplete-"

_unfinished: set[Path] = set()
"""What this process writes now: in other threads, and in blocks around a block."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Keeps an unfinished file or folder of this process from being taken for a leftover."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


def remove_leftovers(folder: Path) -> None:
    """Removes the folders that processes of this host left unfinished in a folder."""
    for leftover in find_leftovers(folder):
        shutil.rmtree(leftover, ignore_errors=True)


def owner() -> str:
    """This host and process, as names of unfinished files and folders have them."""
    return f"{socket.gethostname()}-{os.getpid()}"


def find_leftovers(folder: Path, start: str = "") -> Iterator[Path]:
    """What a process of this host left unfinished in a folder, and has ended since.

    Args:
        folder: where it lies.
        start: what names have before the host: a prefix of its own, or one that ends in
            `INCOMPLETE`; by default whatever stands before `INCOMPLETE`.
    """
    host = f"{socket.gethostname()}-"
    for path in list(folder.iterdir()):
        name = path.name
        if not start:
            name = INCOMPLETE + name.partition(INCOMPLETE)[2]
        prefix = f"{start or INCOMPLETE}{host}"
        pid = name.removeprefix(prefix).partition("-")[0]
        is_ours = name.startswith(prefix) and pid.isdigit() and path not in _unfinished
        if is_ours and not _is_running(int(pid)):
            yield path


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return False  # a leftover of an earlier process with this number
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
