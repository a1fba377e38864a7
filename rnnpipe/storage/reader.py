"""An object of a store as an open file."""

import io
import os
from collections.abc import Callable
from typing import Any


class ObjectReader(io.RawIOBase):
    """Reads an object piece by piece, each with a request of its own.

    Unlike fsspec's own files it goes through the caller's `read_range`, so that what a store
    refuses in the middle of an object raises the same error as at its start.

    Args:
        read_range: gives the bytes between two places.
        size: of the object, in bytes.

    Example:
        >>> reader = ObjectReader(lambda start, stop: b"0123456789"[start:stop], size=10)
        >>> reader.seek(-3, io.SEEK_END), reader.read(2)
        (7, b'78')
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._read_range, self._size, self._at = read_range, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place, counted from the start, from here or from the end."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer, as far as the object goes."""
        stop = min(self._at + len(buffer), self._size)
        if self._at >= stop:
            return 0
        data = self._read_range(self._at, stop)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
