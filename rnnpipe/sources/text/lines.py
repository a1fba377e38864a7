"""Lines of text files, plain or gzipped, in any encoding that keeps ASCII."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rnnpipe.errors import BadRecord
from rnnpipe.sources.text.encodings import (
    has_other_mark,
    is_utf8,
    is_wide,
    packing_of,
    reads_everything,
)
from rnnpipe.sources.text.files import is_zipped, open_binary, read_start

MAX_BYTES = 1 << 20
"""A longer line or document is a dead letter: it is no text that somebody wrote."""

TOO_LONG = f"longer than {MAX_BYTES:,} bytes"

_CHUNK = 1 << 20
LINES, MOST_SPANS = 10_000, 4096
_MARK = "\ufeff"
_PREAMBLES = {"iso2022_kr": b"\x1b$)C"}  # what a file begins with, and each of its lines needs


class BadLine(BadRecord):
    """A line that is no text.

    Args:
        step: what was being done.
        reason: why that failed.
        outline: what can be read of it: enough to see which quotes it opens and closes.
    """

    def __init__(self, step: str, reason: str, outline: str) -> None:
        super().__init__(step, reason)
        self.outline = outline

    def __reduce__(self) -> tuple[Any, ...]:
        return BadLine, (self.step, self.reason, self.outline)


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a file that follow each other.

    Args:
        offset: where the first begins, in bytes.
        before: how many lines come before it.
        lines: how many there are; None: all to the end of the file.
    """

    offset: int = 0
    before: int = 0
    lines: int | None = None


WHOLE = Span()


def cut_lines(path: Path) -> list[Span]:
    """A file in spans of equally many lines, for several workers to read.

    Spans have 10,000 lines; of a file that is longer than 4096 of them each has more. A gzipped
    file, which can be read from its start only, is one span.
    """
    starts, number = [0], 0
    with open_binary(path) as file:
        if is_zipped(file):
            return [WHOLE]
        offset = 0
        while chunk := file.read(_CHUNK):
            lines, at = chunk.count(b"\n"), 0
            while lines >= (wanted := LINES - number % LINES):
                for _ in range(wanted):
                    at = chunk.index(b"\n", at) + 1
                starts.append(offset + at)
                number += wanted
                lines -= wanted
            number += lines
            offset += len(chunk)
    step = -(-len(starts) // MOST_SPANS)
    size = step * LINES
    spans = [Span(start, before * size, size) for before, start in enumerate(starts[::step])]
    return [*spans[:-1], Span(spans[-1].offset, spans[-1].before)]


def read_lines(
    path: Path, encoding: str, span: Span = WHOLE
) -> Iterator[tuple[int, str | BadLine]]:
    """The lines of a file by number, from 1, without line ends; those that are no text as faults.

    A line ends with a line feed, or a carriage return and a line feed, and with nothing else: a
    form feed or U+2028 stays inside of it. A byte order mark at the start of a line is left out:
    files that were put together have one wherever another began.

    Args:
        path: the file, plain or gzipped.
        encoding: its encoding.
        span: which of its lines.
    """
    with open_binary(path) as file:
        file.seek(span.offset)
        yield from split_lines(file, encoding, span)


class Readable(Protocol):
    """A file or pipe of lines."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or as many bytes of it."""


def split_lines(
    file: Readable, encoding: str, span: Span = WHOLE
) -> Iterator[tuple[int, str | BadLine]]:
    """The lines of an open file or pipe, each as soon as it is there; see `read_lines`.

    Args:
        file: it is read from where it is.
        encoding: its encoding.
        span: which of its lines it begins with, and how many are read.
    """
    preamble = _PREAMBLES.get(codecs.lookup(encoding).name, b"")
    number = span.before
    while number - span.before != span.lines and (raw := file.readline(MAX_BYTES + 2)):
        number += 1
        if len(raw) > MAX_BYTES and not raw.endswith(b"\n"):
            yield number, _skip_line(raw, file)
        else:
            yield number, _decode_line(preamble + raw, encoding)


def read_document(path: Path, encoding: str) -> str:
    """The text of a whole file, without a byte order mark.

    Raises:
        BadRecord: it is no text, too long, or cannot be read.
        UserError: the object store that it lies in refuses, which is no fault of the text.
    """
    raw = read_start(path, MAX_BYTES + 1)
    if what := packing_of(raw):
        raise BadRecord("decode text", f"it is {what}")
    if is_wide(raw):
        raise BadRecord("decode text", f"it is UTF-16, or zeros: no {encoding}")
    if has_other_mark(raw, encoding) or (reads_everything(encoding) and is_utf8(raw)):
        raise BadRecord("decode text", f"it is UTF-8, no {encoding}")
    return decode(raw, encoding).removeprefix(_MARK)


def decode(raw: bytes, encoding: str) -> str:
    """The text that bytes spell.

    Raises:
        BadRecord: they are too many, or no text in this encoding.
    """
    if len(raw) > MAX_BYTES:
        raise BadRecord("read text", TOO_LONG)
    if 0 in raw and is_wide(raw):  # which other encodings may well read, as nonsense
        raise BadRecord("decode text", f"it is UTF-16, or zeros: no {encoding}")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as fault:
        reason = f"byte 0x{raw[fault.start]:02x} at {fault.start} is no {encoding}"
        raise BadRecord("decode text", reason) from fault
    except UnicodeError as fault:  # of encodings of names, such as idna
        raise BadRecord("decode text", f"no {encoding} ({fault})") from fault


def _decode_line(raw: bytes, encoding: str) -> str | BadLine:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return decode(raw, encoding).removeprefix(_MARK)
    except BadRecord as bad:
        is_long = len(raw) > MAX_BYTES
        outline = _open_quote(raw.count(b'"')) if is_long else raw.decode("ascii", "replace")
        return BadLine(bad.step, bad.reason, outline)


def _skip_line(raw: bytes, file: Readable) -> BadLine:
    """A line that is too long, of which the rest is still to be read."""
    quotes = raw.count(b'"')
    while not raw.endswith(b"\n") and (raw := file.readline(_CHUNK)):
        quotes += raw.count(b'"')
    return BadLine("read text", TOO_LONG, _open_quote(quotes))


def _open_quote(quotes: int) -> str:
    """The outline of a line with so many quotes: one of them if it opens or closes a field."""
    return '"' * (quotes % 2)
