"""Spans of a long text: their bounds in the file, and their text."""

from collections.abc import Iterator
from typing import BinaryIO, TypedDict

from rnnpipe.errors import BadRecord
from rnnpipe.storage.paths import as_path, read_range

SPAN_BYTES = 1 << 12
"""About how long a span is, in bytes."""


class SpanFields(TypedDict):
    """The fields of a reference to a span.

    Args:
        document: the text that it is a part of.
        number: which part of it, from 0, without a gap.
        path: the file.
        start: where in the file it begins, in bytes.
        stop: where it ends, in bytes.
        encoding: of the file.
    """

    document: str
    number: int
    path: str
    start: int
    stop: int
    encoding: str


def read_span(fields: SpanFields) -> str:
    """The text of a span; its line ends are single line feeds.

    Raises:
        BadRecord: it cannot be read, or is no text in its encoding.
    """
    try:
        raw = read_range(as_path(fields["path"]), fields["start"], fields["stop"])
    except OSError as fault:
        raise BadRecord("read text", str(fault.strerror)) from fault
    if len(raw) < fields["stop"] - fields["start"]:
        raise BadRecord("read text", "the file has become shorter")
    try:
        text = raw.decode(fields["encoding"])
    except UnicodeDecodeError as fault:
        reason = f"byte 0x{raw[fault.start]:02x} at {fields['start'] + fault.start} is no text"
        raise BadRecord("decode text", f"{reason} in {fields['encoding']}") from fault
    return text.replace("\r\n", "\n")


def cut(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The bounds of the spans between two places of a file, in bytes.

    A span ends after a line where one ends within it, else after a space, else between two
    characters of UTF-8: so that words stay whole and the spans' text is that of the whole.
    """
    while start < stop:
        end = min(start + SPAN_BYTES, stop)
        if end < stop:
            end = cut_before(file, start, end)
        yield start, end
        start = end


def cut_before(file: BinaryIO, start: int, stop: int) -> int:
    """The last place after `start` and up to `stop` at which a text may be cut."""
    file.seek(start)
    raw = file.read(stop - start + 1)
    window = raw[: stop - start]
    for mark in (b"\n", b" "):
        if at := window.rfind(mark) + 1:
            return start + at
    length = len(window)
    while length > 1 and length < len(raw) and raw[length] & 0xC0 == 0x80:
        length -= 1  # within a character of UTF-8
    return start + length
