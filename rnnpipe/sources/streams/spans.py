"""Spans of a long text: their bounds in the file, and their text."""

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, TypedDict

from rnnpipe.errors import BadRecord
from rnnpipe.sources.text.encodings import is_wide
from rnnpipe.storage.paths import as_path, read_range

SPAN_BYTES = 1 << 12
"""About how long a span is, in bytes."""

_WINDOW = 1 << 16  # bytes before the end of a part in which a line should end
_STATEFUL = re.compile(r"iso2022_.*|hz|utf-7")
_MARK = "\ufeff"
_LEADING_MARK = re.compile(f"^{_MARK}", re.MULTILINE)


class SpanFields(TypedDict):
    """The fields of a reference to a span.

    Args:
        document: the text that it is a part of.
        number: which part of it, from 0, without a gap.
        path: the file.
        start: where in the file it begins, in bytes.
        stop: where it ends, in bytes.
        encoding: of the file.
        text: the text itself, where a span cannot be read without all that is before it; else None.
    """

    document: str
    number: int
    path: str
    start: int
    stop: int
    encoding: str
    text: str | None


def read_span(fields: SpanFields) -> str:
    """The text of a span; its line ends are single line feeds.

    Raises:
        BadRecord: it cannot be read, or is no text in its encoding.
    """
    if fields["text"] is not None:
        return fields["text"]
    try:
        raw = read_range(as_path(fields["path"]), fields["start"], fields["stop"])
    except OSError as fault:
        raise BadRecord("read text", str(fault.strerror)) from fault
    if len(raw) < fields["stop"] - fields["start"]:
        raise BadRecord("read text", "the file has become shorter")
    try:
        text = _normalize(raw.decode(fields["encoding"]))
    except UnicodeError as fault:
        raise _no_text(fault, fields["start"], fields["encoding"]) from fault
    if not text:
        raise BadRecord("read text", "nothing but a byte order mark")
    return text


def _normalize(text: str) -> str:
    """The text without carriage returns before line feeds and byte order marks before lines.

    Raises:
        UnicodeError: it has half a surrogate pair, as UTF-7 can spell it, or is UTF-16.
    """
    text.encode()
    if "\0" in text and any(map(is_wide, text.encode().split(b"\n"))):
        raise UnicodeError("it is UTF-16, or zeros")
    if _MARK in text:
        text = _LEADING_MARK.sub("", text)
    return text.replace("\r\n", "\n")


def _no_text(fault: UnicodeError, offset: int, encoding: str) -> BadRecord:
    if not isinstance(fault, UnicodeDecodeError):
        return BadRecord("decode text", f"no text in {encoding} ({fault})")
    byte, place = fault.object[fault.start], offset + fault.start
    return BadRecord("decode text", f"byte 0x{byte:02x} at {place} is no text in {encoding}")


class SpanDecoder:
    """Decodes the spans of a file one after the other, for those that cannot be decoded alone.

    Args:
        encoding: of the file.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding, self._decoder = encoding, make_decoder(encoding, "strict")

    def skip(self, file: BinaryIO, stop: int) -> None:
        """Reads a file from its start to the first span, for what that designates."""
        self._decoder.errors = "replace"
        file.seek(0)
        while stop > 0 and (raw := file.read(min(stop, _WINDOW))):
            self._decoder.decode(raw)
            stop -= len(raw)
        self._decoder.errors = "strict"

    def decode(self, raw: bytes, offset: int, *, is_last: bool) -> str:
        """The text of a span.

        Args:
            raw: the span.
            offset: where in the file it begins.
            is_last: whether no character goes on after it.

        Raises:
            BadRecord: it is no text.
        """
        state = self._decoder.getstate()
        try:
            return _normalize(self._decoder.decode(raw, final=is_last))
        except UnicodeError as fault:
            self._decoder.setstate((b"", state[1]))
            raise _no_text(fault, offset - len(state[0]), self._encoding) from fault


def is_stateful(encoding: str) -> bool:
    """Whether what bytes mean depends on others before, however far."""
    return bool(_STATEFUL.fullmatch(codecs.lookup(encoding).name))


def make_decoder(encoding: str, errors: str) -> Any:
    """A decoder of text that comes in pieces."""
    return codecs.getincrementaldecoder(encoding)(errors)


def cut(file: BinaryIO, start: int, stop: int, encoding: str) -> Iterator[tuple[int, bytes]]:
    """The spans between two places of a file: where each begins, and its bytes.

    A span ends after a line where one ends within it, else after a space, else between two
    characters: so that words stay whole and the spans' text is that of the whole. The file is read
    in one go from `start`.
    """
    file.seek(start)
    raw = b""
    while start < stop:
        # One byte more than a span has tells whether the span may end there.
        raw += file.read(min(SPAN_BYTES + 1, stop - start) - len(raw))
        length = len(raw) if len(raw) <= SPAN_BYTES else _find_cut(raw, encoding)
        if not length:
            return  # the file has become shorter
        yield start, raw[:length]
        start, raw = start + length, raw[length:]


def _find_cut(raw: bytes, encoding: str) -> int:
    """How many bytes a span has, of bytes of which the last is the first after the longest one."""
    window = raw[:-1]
    return _after_mark(window) or _after_character(
        window, raw[-1:], make_decoder(encoding, "replace")
    )


def _after_mark(window: bytes) -> int:
    """The place after the last line or else the last space; 0 where there is none.

    In none of the encodings is one of the two a part of another character.
    """
    return window.rfind(b"\n") + 1 or window.rfind(b" ") + 1


def _after_character(window: bytes, following: bytes, decoder: Any) -> int:
    """The place after the last character that is whole; CRLF counts as one."""
    decoder.decode(window)
    pending = len(decoder.getstate()[0])
    if not pending and window.endswith(b"\r") and following == b"\n":
        pending = 1
    return len(window) - pending or len(window)


def cut_before(file: BinaryIO, start: int, stop: int, encoding: str) -> int:
    """The last place after `start` and up to `stop` at which a text may be divided.

    After a line or else a space of the last 64 KiB, or else between two characters.
    """
    first = max(start, stop - _WINDOW)
    file.seek(first)
    raw = file.read(stop - first)
    if at := _after_mark(raw):
        return first + at
    decoder = make_decoder(encoding, "replace")
    file.seek(start)
    for _ in range(start, first, _WINDOW):
        decoder.decode(file.read(min(_WINDOW, first - file.tell())))
    return first + _after_character(raw, file.read(len(raw) + 1)[-1:], decoder)
