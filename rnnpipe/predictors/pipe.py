"""Lines of a pipe or terminal, which come when they come."""

import os
import select

_CHUNK = 1 << 16


class Pipe:
    """Reads lines of a pipe, and knows whether the next one is there already.

    Args:
        descriptor: of the open pipe, terminal or file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._buffer, self._ended = descriptor, bytearray(), False

    def readline(self, size: int, /) -> bytes:
        """The next line with its end, or at most `size` bytes of it; nothing at the end."""
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start >= size or not self._fill():
                break
        length = min(size, len(self._buffer) if end < 0 else end + 1)
        line = bytes(self._buffer[:length])
        del self._buffer[:length]
        return line

    def has_line(self) -> bool:
        """Whether a line, or the end, can be read without waiting for another program."""
        while b"\n" not in self._buffer and not self._ended:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return False
            self._fill()
        return True

    def _fill(self) -> bool:
        if not self._ended and (chunk := os.read(self._descriptor, _CHUNK)):
            self._buffer += chunk
            return True
        self._ended = True
        return False
