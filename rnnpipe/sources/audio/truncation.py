"""Truncated files of sound: decoders come to their end as if they were whole."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.errors import BadRecord
from rnnpipe.storage.paths import as_path, read_range

if TYPE_CHECKING:
    import av

_SLACK = Fraction(1, 20)  # seconds that encoders add and decoders drop at either end
_OGG_SLACK = Fraction(1, 10)  # Opus drops 80 ms at most, which count
_HEAD = 1 << 16  # bytes in which the samples of a file have begun
_STREAMED = 0x7FFF0000  # programs that cannot go back write such sizes
_MOST_PAGE = 1 << 16  # bytes of a page of Ogg
_ID3 = 10
_GAPLESS = {**dict.fromkeys(("flac", "wv", "tta", "ape"), Fraction()), "ogg": _OGG_SLACK}
"""FFmpeg's formats that have the number of samples, and how many seconds may lack."""
_TELLS = {"mov,mp4,m4a,3gp,3g2,mj2", "caf", *_GAPLESS}
"""Those that have a length."""


def check_length(
    path: str | Path,
    container: av.container.InputContainer,
    stream: av.AudioStream,
    elapsed: Fraction,
    gaps: Fraction,
) -> None:
    """Checks that a file has the samples and the bytes that its header claims.

    Args:
        path: the file.
        container: the same, opened.
        stream: that of the sound.
        elapsed: how many seconds there were.
        gaps: how many of them were gaps.

    Raises:
        BadRecord: it was cut off (step `decode sound`).
    """
    form, declared = container.format.name, _declared_length(path, container, stream)
    # What is damaged is left out, and times show a gap then.
    found = elapsed - gaps if form in _GAPLESS else elapsed
    if declared is not None and found < declared - _GAPLESS.get(form, _SLACK):
        reason = f"{float(found):.2f} of {float(declared):.2f} seconds are there"
        raise BadRecord("decode sound", f"cut off or damaged: {reason}")
    size = as_path(path).stat().st_size
    if form in ("wav", "aiff") and size < (whole := _declared_bytes(path)):
        raise BadRecord("decode sound", f"cut off after {size:,} of {whole:,} bytes")
    if form == "ogg" and not _has_last_page(path, size):
        raise BadRecord("decode sound", "cut off: its last page is not there")


def _declared_length(
    path: str | Path, container: av.container.InputContainer, stream: av.AudioStream
) -> Fraction | None:
    """The seconds of sound that the file claims to have; None: FFmpeg would only estimate them."""
    import av  # configs of sources are read where it is not installed

    form = container.format.name
    if form in _TELLS or (form == "mp3" and _counts_frames(path)):
        if stream.duration is None or stream.time_base is None:
            return None
        return stream.duration * stream.time_base
    if form == "matroska,webm" and container.duration and not container.streams.video:
        return Fraction(container.duration, av.time_base)
    return None


def _declared_bytes(path: str | Path) -> int:
    """Where the samples of a RIFF or IFF file end by their own header; 0: it does not tell.

    The header of the file itself is wrong in many, by the length of some header or a byte.
    """
    head = read_range(as_path(path), 0, _HEAD)
    if head[:4] not in (b"RIFF", b"RIFX", b"FORM"):
        return 0
    form, at = "<4sI" if head[:4] == b"RIFF" else ">4sI", 12
    while at + 8 <= len(head):
        name, size = struct.unpack_from(form, head, at)
        if name in (b"data", b"SSND"):
            return 0 if size >= _STREAMED else int(at + 8 + size)
        at += 8 + size + size % 2
    return 0


def _has_last_page(path: str | Path, size: int) -> bool:
    """Whether the last page of an Ogg file is marked as the end of its stream."""
    tail = read_range(as_path(path), max(size - _MOST_PAGE, 0), size)
    page = tail.rfind(b"OggS")
    return page >= 0 and page + 5 < len(tail) and bool(tail[page + 5] & 4)


def _counts_frames(path: str | Path) -> bool:
    """Whether an MP3 file begins with a frame that has the number of all frames."""
    placed = as_path(path)
    head, start = read_range(placed, 0, _ID3), 0
    if head[:3] == b"ID3" and len(head) == _ID3:
        size = 0
        for byte in head[6:]:  # of which each has 7 bits
            size = size << 7 | byte & 127
        start = size + _ID3
    frame = read_range(placed, start, start + 64)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))
