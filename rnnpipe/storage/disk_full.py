"""A full disk: checked for before, and reported as a `UserError`."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.output import OUTPUT

_FULL = {
    errno.ENOSPC: "a full disk",
    errno.EDQUOT: "a full quota",
    errno.EFBIG: "a limit of the size of files",
}


@contextmanager
def report_full_disk(what: str, folder: Path | None, fix: str) -> Iterator[None]:
    """Converts the exception of a full disk, whatever library raises it.

    That of a worker or of HDF5 arrives as text, and one may hide behind an exception of its
    clean-up.

    Args:
        what: is written in the block.
        folder: where it goes; None: the exception names it.
        fix: what the user can do.

    Raises:
        UserError: there is no room.
    """
    try:
        yield
    except Exception as error:
        if (got := _find_reason(error)) is None:
            raise
        where = folder or getattr(error, "filename", None) or tempfile.gettempdir()
        raise UserError(str(where), f"room for {what}", got, fix) from error


def _find_reason(error: BaseException | None) -> str | None:
    if getattr(error, "filename", None) == OUTPUT:
        return None  # where messages go is full
    while error is not None and not isinstance(error, UserError):
        for number, reason in _FULL.items():
            if os.strerror(number) in str(error):
                return reason
        error = error.__cause__ or error.__context__
    return None


def check_room(folder: Path, num_bytes: int) -> None:
    """Checks that a file of a size can be written now, for libraries that fail badly.

    Raises:
        OSError: there is no room for it.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        if num_bytes:
            os.posix_fallocate(file.fileno(), 0, num_bytes)
