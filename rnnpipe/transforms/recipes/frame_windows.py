"""Windows of the frames of a video, sampled at a constant rate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, TypeVar

from rnnpipe.errors import BadRecord

if TYPE_CHECKING:  # what reads a config needs no PyAV
    from rnnpipe.sources.videos.decoding import Shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FrameWindow(Generic[T]):
    """Frames that follow each other.

    Args:
        frames: what was made of each.
        times: the middle of each frame's interval, in seconds.
        indices: its number in the file.
        end: when the video ends, in seconds, and after how many frames of the file; None: later.
    """

    frames: list[T]
    times: list[Fraction]
    indices: list[int]
    end: tuple[Fraction, int] | None


class FrameWindowReader(Generic[T]):
    """The windows of one video, read one after the other without going back to its start.

    Args:
        path: the video.
        rate: frames for each second.
        convert: converts a picture to a frame; called once for a picture that is shown repeatedly.
    """

    def __init__(self, path: str, rate: float, convert: "Callable[[Shown], T]") -> None:
        self._path, self._rate, self._convert = path, rate, convert
        self._start()

    def _start(self) -> None:
        from rnnpipe.sources.videos.decoding import sample_pictures

        self._sampled = sample_pictures(self._watch(), self._rate)
        self._next, self._end = -1, (Fraction(0), 0)
        self._fault: BadRecord | None = None
        self._step()

    def _watch(self) -> "Iterator[Shown]":
        from rnnpipe.sources.videos.decoding import read_video

        for shown in read_video(self._path):
            self._end = shown.end, shown.index + 1
            yield shown

    def _step(self) -> None:
        """Advances by one frame; reading ahead shows whether the video ends with a window."""
        self._next += 1
        try:
            self._ahead = next(self._sampled, None)
        except BadRecord as fault:
            self._ahead, self._fault = None, fault

    def read(self, first: int, count: int) -> FrameWindow[T]:
        """`count` frames from frame `first` on, or as many as there are.

        Raises:
            BadRecord: the video cannot be read or decoded.
        """
        if first < self._next:
            self._start()
        frames: list[T] = []
        times: list[Fraction] = []
        indices: list[int] = []
        while self._ahead is not None and self._next < first + count:
            time, shown = self._ahead
            if self._next >= first:
                again = indices and indices[-1] == shown.index  # it is on show still
                frames.append(frames[-1] if again else self._convert(shown))
                times.append(time)
                indices.append(shown.index)
            self._step()
        if self._fault is not None and len(frames) < count:
            raise self._fault
        ended = self._ahead is None and self._fault is None
        return FrameWindow(frames, times, indices, self._end if ended else None)
