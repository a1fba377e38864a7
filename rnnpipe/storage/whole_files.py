"""Files that are read as a whole: regular ones alone, and none that would fill the memory."""

import errno
import stat
from pathlib import Path

from rnnpipe.storage.store_path import StorePath

MAX_WHOLE = 1 << 31
"""How many bytes a file may have that is read as a whole."""


def check_regular(path: Path) -> int:
    """The size of a file; a pipe or a device, which may have no end, is none.

    Raises:
        OSError: it is one, or is not there.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        code = errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.ENODEV
        reason = "Is a directory" if code == errno.EISDIR else "a pipe or a device"
        raise OSError(code, reason, str(path))
    return status.st_size


def read_whole(path: Path, most: int = MAX_WHOLE) -> bytes:
    """The bytes of a file.

    Args:
        path: the file.
        most: how many it may have.

    Raises:
        OSError: it cannot be read, has no end, or has more.
    """
    # An object of a store has an end, and asking for its size would be a second request.
    if not isinstance(path, StorePath) and check_regular(path) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
    return path.read_bytes()
