"""Files of word vectors: GloVe, word2vec (text and binary) and fastText, plain or gzipped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rnnpipe.errors import UserError
from rnnpipe.sources.text.encodings import packing_of
from rnnpipe.sources.text.files import open_binary

if TYPE_CHECKING:  # what reads a config needs no NumPy
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_HEADER = re.compile(rb"(\d{1,12}) (\d{1,6})\s*\n")
_FAST_TEXT = b"\xba\x16\x4f\x2f"  # how the binary models of fastText begin
_LONGEST_LINE = 1 << 20
_LONGEST_WORD = 4096
_FLOAT = 4  # bytes
_FIX = (
    "name a file of GloVe, word2vec or fastText (.txt, .vec, or .bin of word2vec), or a .gz of it"
)


@dataclass(frozen=True, slots=True)
class VectorRow:
    """A word and its vector, which is read when it is asked for.

    Args:
        word: as the file spells it.
        numbers: of the vector, as text or as 32-bit floats.
        is_binary: which of both.
    """

    word: str
    numbers: bytes
    is_binary: bool

    def read(self, size: int) -> "Array | None":
        """The vector, float32 `(size,)`; None if it has not so many finite numbers."""
        import numpy as np

        try:
            vector = (
                np.frombuffer(self.numbers, "<f4")
                if self.is_binary
                else np.array(self.numbers.split(), np.float32)
            )
        except ValueError:
            return None
        return vector if vector.shape == (size,) and np.isfinite(vector).all() else None


@dataclass(frozen=True)
class VectorFile:
    """A file of words and their vectors, most frequent words first.

    Its form shows in its content: text has a word and its numbers in each line, separated by
    spaces, after a line with the number of words and of features, which GloVe leaves out; the
    binary form of word2vec has such a line too, and then words and 32-bit floats. Words may have
    spaces in them. The file may be gzipped, and lie in an object store.

    Args:
        path: the file.

    Raises:
        UserError: it cannot be read, or is no such file.
    """

    path: Path

    @property
    def size(self) -> int:
        """The number of features of a vector."""
        return self._form.size

    def __iter__(self) -> Iterator[VectorRow | None]:
        """The rows of the file, in its order; None for one that cannot be read as such."""
        form = self._form
        with open_binary(self.path) as file:
            if form.rows is not None:
                file.readline(_LONGEST_LINE)
            read = _read_binary if form.is_binary else _read_text
            rows = 0
            for rows, row in enumerate(read(file, form.size), start=1):  # noqa: B007  # counts
                yield row
        if form.rows is not None and rows < form.rows:
            got = f"{rows:,}: the file is cut"
            raise UserError(str(self.path), f"{form.rows:,} words", got, "get the file again")

    @cached_property
    def _form(self) -> "_Form":
        with open_binary(self.path) as file:
            first = file.readline(_LONGEST_LINE)
            start = file.read(_LONGEST_WORD)
        if what := packing_of(first):
            raise UserError(str(self.path), "a file of word vectors", what, "unpack it")
        if first.startswith(_FAST_TEXT):
            got, fix = "a binary model of fastText", "name the .vec file that comes with it"
            raise UserError(str(self.path), "a file of word vectors", got, fix)
        if header := _HEADER.fullmatch(first):
            words, size = map(int, header.groups())
            return _Form(size, words, is_binary=not _is_text(start, size))
        size = _count_numbers(first)
        if not size:
            got = f"a first line of {len(first.split())} words without numbers"
            raise UserError(str(self.path), "a word and the numbers of its vector", got, _FIX)
        return _Form(size)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a file says of itself at its start.

    Args:
        size: features of a vector.
        rows: how many it has, where it says so.
        is_binary: whether its numbers are 32-bit floats.
    """

    size: int
    rows: int | None = None
    is_binary: bool = False


def _count_numbers(line: bytes) -> int:
    """How many numbers stand at the end of a line, after a word at least."""
    count = 0
    for field in line.split()[:0:-1]:
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def _is_text(start: bytes, size: int) -> bool:
    """Whether what follows a header is a line of text, or as much of one as was read."""
    line, end, _ = start.partition(b"\n")
    numbers = line.split(b" ")[1 : None if end else -1]
    if end:
        return _count_numbers(line) >= size
    return bool(numbers) and all(re.fullmatch(rb"[-+.\deE]+", number) for number in numbers)


def _read_text(file: BinaryIO, size: int) -> Iterator[VectorRow | None]:
    while line := file.readline(_LONGEST_LINE):
        word, *numbers = line.rsplit(None, size) or [b""]
        yield (
            None
            if len(numbers) < size
            else _make_row(word.strip(), b" ".join(numbers), is_binary=False)
        )


def _read_binary(file: BinaryIO, size: int) -> Iterator[VectorRow | None]:
    buffer, wanted = b"", size * _FLOAT
    while True:
        while (end := buffer.find(b" ")) < 0 or len(buffer) < end + 1 + wanted:
            if (end < 0 and len(buffer) > _LONGEST_WORD) or not (more := file.read(1 << 16)):
                return
            buffer += more
        word = buffer[:end].lstrip(b"\n")
        yield _make_row(word, buffer[end + 1 : end + 1 + wanted], is_binary=True)
        buffer = buffer[end + 1 + wanted :]


def _make_row(word: bytes, numbers: bytes, *, is_binary: bool) -> VectorRow | None:
    try:
        return VectorRow(word.decode(), numbers, is_binary)
    except UnicodeDecodeError:
        return None
