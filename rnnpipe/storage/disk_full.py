"""A full disk, told as what it is."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.errors import UserError

_FULL = {errno.ENOSPC: "a full disk", errno.EDQUOT: "a full quota"}


@contextmanager
def report_full_disk(what: str, folder: Path, fix: str) -> Iterator[None]:
    """Tells of a disk that is full; workers report it as a text, and it is told all the same.

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
