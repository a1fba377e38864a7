"""Spans of a recording, cut at given times."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio.decoding import Chunk, read_sound
from rnnpipe.sources.raw_files import hash_ends
from rnnpipe.storage.paths import as_path

_ROUNDING = 0.01  # seconds by which the end of a span may be rounded up


@dataclass(frozen=True, slots=True)
class Sound:
    """A span of a recording.

    Args:
        samples: int16, `(samples,)`.
        clipped: how many of them are clipped, see `mix_down`.
        source_rate: samples per second of the file.
    """

    samples: np.ndarray[Any, np.dtype[np.int16]]
    clipped: int
    source_rate: int


class Recording:
    """A file of sound from which spans are read one after the other.

    It is decoded once, from its start on, as long as no span begins before the last one: seeking
    would be faster and, in many formats, some milliseconds off. The last span and a chunk are in
    memory, however long the file is.

    Args:
        path: the file.
        rate: samples per second.

    Example:
        >>> recording = Recording("talk.mp3", 16000)  # doctest: +SKIP
        >>> [len(recording.read(t, t + 2).samples) for t in (0, 1, 5)]  # doctest: +SKIP
        [32000, 32000, 32000]
    """

    def __init__(self, path: str | Path, rate: int) -> None:
        self._path, self._rate = path, rate
        self._restart()

    def _restart(self) -> None:
        self._chunks: Iterator[Chunk] = read_sound(self._path, self._rate)
        self._held: deque[np.ndarray[Any, np.dtype[np.int16]]] = deque()
        self._clipped: deque[np.ndarray[Any, np.dtype[np.int64]]] = deque()
        self._first = self._next = 0  # the first sample that is held, and that of the next chunk
        self._source_rate = self._rate
        self._has_ended = False
        self._fault: BadRecord | None = None

    @cached_property
    def digest(self) -> str:
        """A hash of the file, see `hash_ends`."""
        return hash_ends(as_path(self._path))

    def read(
        self, start: float | None = None, end: float | None = None, max_seconds: float = np.inf
    ) -> Sound:
        """The sound from `start` until `end`, in seconds; without them, of the whole file.

        Args:
            start: where it begins; None: at the start of the file.
            end: where it ends; None: at the end of the file.
            max_seconds: where reading stops: what is longer than this comes with one sample more.

        Raises:
            BadRecord: the file cannot be read or decoded, or ends before the span does.
        """
        first = round((start or 0) * self._rate)
        last = np.inf if end is None else round(end * self._rate)
        stop = min(last, first + max_seconds * self._rate + 1)
        if first < self._first:
            self._restart()
        self._drop_before(first)
        while self._next < stop and self._pull():
            self._drop_before(first)
        if self._next < stop and self._fault is not None:
            raise self._fault
        if self._next < min(stop, last - _ROUNDING * self._rate) and end is not None:
            reason = f"the text goes to {end:g} seconds, the sound to {self._next / self._rate:g}"
            raise BadRecord("match times", reason)
        if self._next <= first:
            reason = f"the text begins at {start or 0:g} seconds, the sound ends before"
            raise BadRecord("match times", reason)
        return self._cut(first, int(min(stop, self._next)))

    def _cut(self, first: int, stop: int) -> Sound:
        joined = np.concatenate([np.zeros(0, np.int16), *self._held])
        clipped = sum(int(((c >= first) & (c < stop)).sum()) for c in self._clipped)
        start = first - self._first
        return Sound(joined[start : start + stop - first].copy(), clipped, self._source_rate)

    def _pull(self) -> bool:
        """Reads one more chunk; whether there is one."""
        if self._has_ended:
            return False
        try:
            chunk = next(self._chunks, None)
        except BadRecord as fault:
            chunk, self._fault = None, fault
        if chunk is None:
            self._has_ended = True
            return False
        self._held.append(chunk.samples)
        self._next += len(chunk.samples)
        if len(chunk.clipped):
            self._clipped.append(chunk.clipped)
        self._source_rate = chunk.source_rate
        return True

    def _drop_before(self, first: int) -> None:
        """Forgets chunks that end before a sample."""
        while self._held and self._first + len(self._held[0]) <= first:
            self._first += len(self._held.popleft())
        while self._clipped and self._clipped[0][-1] < first:
            self._clipped.popleft()


class LastRecording:
    """Opens recordings, and keeps the last one, whose spans often follow each other.

    Pickled, it has none.
    """

    def __init__(self) -> None:
        self._opened: tuple[str, int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return LastRecording, ()

    def open(self, path: str, rate: int) -> Recording:
        """The recording in a file, at so many samples per second."""
        if self._opened != (path, rate):
            self._recording, self._opened = Recording(path, rate), (path, rate)
        return self._recording
