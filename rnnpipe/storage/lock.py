"""Locks of files between processes, which end with the process that has them."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}
"""What a file system without locks says of them."""


@contextmanager
def locking(path: Path, *, shared: bool = False, required: bool = False) -> Iterator[IO[bytes]]:
    """Locks a file until the block ends, and yields it opened.

    Args:
        path: the file, of a file system.
        shared: whether others may lock it likewise; else nobody.
        required: whether a file system without locks is an error; else nothing is locked there.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: it cannot be opened, or not locked.
    """
    with _open(path, shared) as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as fault:
            if required or fault.errno not in NO_LOCKS:
                raise
        yield file


def _open(path: Path, shared: bool) -> IO[bytes]:
    if not shared:
        try:
            return path.open("r+b")  # network file systems lock what can be written
        except PermissionError:
            pass
    return path.open("rb")
