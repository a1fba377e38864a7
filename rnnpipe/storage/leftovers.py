"""Folders of unfinished files, each with a lock: one that no process locks was left behind."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from rnnpipe.storage.lock import NO_LOCKS, locking
from rnnpipe.storage.owner import is_dead, owner

INCOMPLETE = ".incomplete-"

_LOCK = ".lock"
_REPLACED = "-replaced"
_NAME = re.compile(f".*{re.escape(INCOMPLETE)}[0-9a-f]{{8}}", re.DOTALL)


@contextmanager
def unfinished_folder(folder: Path, name: str, *, mode: int = 0o777) -> Iterator[Path]:
    """Yields a new folder `<name>.incomplete-…`, which is removed when the block ends.

    A file in it is locked meanwhile. A killed process leaves the folder but no lock, so that the
    next one to write beside it removes it. Names of hosts and numbers of processes prove nothing:
    containers repeat both.

    Args:
        folder: where it lies, on a file system.
        name: of what is written in it.
        mode: its permissions.

    Raises:
        OSError: nothing can be written there.
    """
    remove_leftovers(folder)
    with ExitStack() as locks:
        path = _make_folder(folder, name, mode, locks)
        try:
            yield path
        finally:
            _remove(path)


def replace_folder(unfinished: Path, path: Path) -> None:
    """Puts a folder in an `unfinished_folder` in the place of another one.

    Two renames: a process that is killed between them leaves none, and the other one comes back
    when what it left is removed.
    """
    replaced = unfinished.with_name(path.name + _REPLACED)
    if path.exists():
        path.rename(replaced)
    try:
        unfinished.rename(path)
    except BaseException:
        _restore(replaced, path)
        raise


def _restore(replaced: Path, path: Path) -> None:
    if replaced.exists() and not path.exists():
        replaced.rename(path)


def remove_leftovers(folder: Path) -> None:
    """Removes the unfinished folders that killed processes left in a folder.

    Raises:
        OSError: the folder cannot be listed.
    """
    is_shared = bool(folder.stat().st_mode & stat.S_ISVTX)
    for path in list(folder.iterdir()):
        if not (_NAME.fullmatch(path.name) and _is_plain(path, stat.S_IFDIR, is_shared)):
            continue
        with suppress(OSError), ExitStack() as locks:  # another process may remove it too
            if not (path / _LOCK).exists():
                path.rmdir()  # a process was killed, or is, between two lines of `_make_folder`
            elif _is_plain(path / _LOCK, stat.S_IFREG, is_shared) and _is_left(path / _LOCK, locks):
                for replaced in path.glob(f"*{_REPLACED}"):
                    _restore(replaced, folder / replaced.name.removesuffix(_REPLACED))
                _remove(path)


def _make_folder(folder: Path, name: str, mode: int, locks: ExitStack) -> Path:
    while True:
        path = folder / f"{name}{INCOMPLETE}{uuid4().hex[:8]}"
        path.mkdir(mode)
        try:
            (path / _LOCK).write_text(owner(), encoding="utf-8")
            locks.enter_context(locking(path / _LOCK))
            if (path / _LOCK).exists():
                return path
        except (BlockingIOError, FileNotFoundError):
            continue  # another process took it, not locked yet, for one that was left
        except BaseException:
            _remove(path)
            raise


def _is_plain(path: Path, kind: int, is_shared: bool) -> bool:
    """Whether a file or folder is no link, and nobody else's in a folder that all write to.

    Its owner could put a link to anything in the place of what is removed.
    """
    try:
        status = path.lstat()
    except OSError:
        return False
    is_own = not is_shared or status.st_uid == os.geteuid()
    return stat.S_IFMT(status.st_mode) == kind and is_own


def _is_left(lock: Path, locks: ExitStack) -> bool:
    """Whether no process has a lock; where none has, it is locked."""
    try:
        locks.enter_context(locking(lock, required=True))
    except BlockingIOError:
        return False
    except OSError as fault:
        return fault.errno in NO_LOCKS and is_dead(lock.read_text(encoding="utf-8"))
    return True


def _remove(folder: Path) -> None:
    """Removes an unfinished folder, whatever comes meanwhile.

    A signal in its midst, which raises `KeyboardInterrupt`, would leave the rest; of a command it
    often comes only then. A second Ctrl-C does leave it.
    """
    try:
        _empty(folder)
    except BaseException:
        _empty(folder)
        raise


def _empty(folder: Path) -> None:
    """Removes what is in a folder, its lock last: without it nobody would remove the rest."""
    with suppress(OSError):
        for child in folder.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child, ignore_errors=True)
            elif child.name != _LOCK:
                child.unlink()
        if [child.name for child in folder.iterdir()] == [_LOCK]:
            (folder / _LOCK).unlink()
        folder.rmdir()
