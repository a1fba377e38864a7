"""Reports a full disk as a `UserError`."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.errors import UserError

_FULL = {errno.ENOSPC: "a full disk", errno.EDQUOT: "a full quota"}


@contextmanager
def report_full_disk(what: str, folder: Path, fix: str) -> Iterator[None]:
    """Converts the exception of a full disk, also of one in a worker, which arrives as text.

    Args:
        what: is written in the block.
        folder: where it goes.
        fix: what the user can do beside making room.

    Raises:
        UserError: there is no room.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        for number, got in _FULL.items():
            if os.strerror(number) in str(error):
                fix = f"make room, or {fix}"
                raise UserError(str(folder), f"room for {what}", got, fix) from error
        raise
