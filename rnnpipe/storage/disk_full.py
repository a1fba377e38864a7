"""Reports a full disk as a `UserError`."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.output import OUTPUT

_FULL = {errno.ENOSPC: "a full disk", errno.EDQUOT: "a full quota"}


@contextmanager
def report_full_disk(what: str, folder: Path, fix: str) -> Iterator[None]:
    """Converts the exception of a full disk, whatever library raises it.

    That of a worker or of HDF5 arrives as text, and one may hide behind an exception of its
    clean-up.

    Args:
        what: is written in the block.
        folder: where it goes.
        fix: what the user can do.

    Raises:
        UserError: there is no room.
    """
    try:
        yield
    except Exception as error:
        if (got := _find_reason(error)) is None:
            raise
        raise UserError(str(folder), f"room for {what}", got, fix) from error


def _find_reason(error: BaseException | None) -> str | None:
    if getattr(error, "filename", None) == OUTPUT:
        return None  # where messages go is full
    while error is not None and not isinstance(error, UserError):
        for number, reason in _FULL.items():
            if os.strerror(number) in str(error):
                return reason
        error = error.__cause__ or error.__context__
    return None
