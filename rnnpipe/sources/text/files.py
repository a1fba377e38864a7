"""Files of text, plain or gzipped: their bytes, and whether they are what they are read as."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.text.encodings import (
    Utf8Detector,
    has_other_mark,
    is_wide,
    packing_of,
    reads_everything,
)
from rnnpipe.storage.store_path import StorePath
from rnnpipe.storage.whole_files import check_regular

_GZIP = b"\x1f\x8b"
_UNREADABLE = (OSError, EOFError, zlib.error)
_CHUNK = 1 << 20

MAX_SMALL = 1 << 28
"""How many bytes a text may have that is read as a whole; Flickr30k has 14 million."""


def check_text_file(path: Path, encoding: str) -> int:
    """How many lines a file has; it is read to its end, so that a damaged one is found now.

    Raises:
        UserError: the file is missing, unreadable, empty, packed, UTF-16, or damaged gzip; its
            lines end with carriage returns alone; or it is UTF-8, which is not its encoding.
    """
    seen = _Inspection(encoding)
    with open_binary(path) as file:
        while chunk := file.read(_CHUNK):
            if fault := seen.feed(chunk):
                raise UserError(str(path), *fault)
    if fault := seen.finish():
        raise UserError(str(path), *fault)
    return seen.lines


class _Inspection:
    """What is seen of a file of text while it is read.

    Args:
        encoding: that in which it is to be read.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._utf8 = Utf8Detector() if reads_everything(encoding) else None
        self._feeds, self._returns, self._tail = 0, 0, b""

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self._feeds + (not self._tail.endswith(b"\n"))

    def feed(self, chunk: bytes) -> tuple[str, str, str] | None:
        """What was expected, what is there and what to do, where a piece shows that."""
        if not self._tail:
            if what := packing_of(chunk):
                return "a text file", what, "unpack it"
            if is_wide(chunk):
                return "a text file", "UTF-16", "convert it to UTF-8"
            if has_other_mark(chunk, self._encoding):
                return self._other("the byte order mark of UTF-8")
        if self._utf8 is not None:
            self._utf8.feed(chunk)
        self._feeds += chunk.count(b"\n")
        self._returns += chunk.count(b"\r")
        self._tail = (self._tail + chunk[-2:])[-2:]
        return None

    def finish(self) -> tuple[str, str, str] | None:
        """The same at the end of the file."""
        if not self._tail:
            return "lines of text", "an empty file", "get the file again"
        inside = self._returns - self._tail.rstrip(b"\n").endswith(b"\r")
        if self.lines == 1 and inside:
            got = f"one line with {inside:,} carriage returns in it"
            return "lines that end with a line feed", got, "convert it, as mac2unix does"
        if self._utf8 is not None and self._utf8.ends():
            return self._other("UTF-8")
        return None

    def _other(self, got: str) -> tuple[str, str, str]:
        return f"text in {self._encoding}", got, "set data.source.encoding to utf-8"


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file; that it is gzipped shows in its first bytes, not in its name.

    Raises:
        UserError: the file cannot be read, or is damaged; also while it is being read.
    """
    try:
        with _unzipping(path) as file:
            yield file
    except _UNREADABLE as fault:
        fix = "download or unpack it again"
        raise UserError(str(path), "a text file", _describe(fault), fix) from fault


def read_all(path: Path) -> bytes:
    """The bytes of a file of names or captions, which is small.

    Raises:
        UserError: the file cannot be read, is damaged, or has more than `MAX_SMALL` bytes.
    """
    with open_binary(path) as file:
        content = file.read(MAX_SMALL + 1)
    if len(content) > MAX_SMALL:
        expected, fix = f"at most {MAX_SMALL:,} bytes of text", "divide it, or get it again"
        raise UserError(str(path), expected, "more", fix)
    return content


def read_start(path: Path, size: int) -> bytes:
    """The first bytes of a file, at most so many.

    Raises:
        BadRecord: the file cannot be read, or is damaged.
        UserError: the object store that it lies in refuses, which is no fault of the text.
    """
    try:
        with _unzipping(path) as file:
            return file.read(size)
    except _UNREADABLE as fault:
        raise BadRecord("read text", _describe(fault)) from fault


@contextmanager
def _unzipping(path: Path) -> Iterator[BinaryIO]:
    if not isinstance(path, StorePath):
        check_regular(path)
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not zipped:
            yield file
            return
        with gzip.open(file) as unzipped:
            yield unzipped  # type: ignore[misc]  # a GzipFile is a binary file in all but name


def is_zipped(file: BinaryIO) -> bool:
    """Whether what `open_binary` opened is gzipped, and so is read from its start only."""
    return isinstance(file, gzip.GzipFile)


def _describe(fault: Exception) -> str:
    if isinstance(fault, OSError) and not isinstance(fault, gzip.BadGzipFile):
        return f"a file that cannot be read ({fault.strerror or fault})"
    return f"a damaged gzip file ({fault})"
