"""Videos: from whatever file there is to the pictures that are on show at given times."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from errno import EINVAL
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.store_path import StorePath
from rnnpipe.storage.whole_files import check_regular

if TYPE_CHECKING:
    import av

_USUAL_RATE = Fraction(25)
# Between two pictures that a decoder has to know first lie at most so many that it shows earlier.
_REORDERED = 4
_LISTS = ("hls", "dash", "imf", "concat", "webm_dash_manifest")  # FFmpeg's formats of playlists
_WRITING = ("ansi", "bintext", "xbin", "idf")  # FFmpeg draws text as on a terminal

MAX_STILL = 300
"""For how many seconds a picture may be on show: where one is for longer, times are damaged."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a video and the time during which it is on show.

    Args:
        index: its number in the video, from 0.
        start: when it appears, in seconds after the first picture does.
        end: when the next one takes its place.
        frame: as the decoder gave it.
        aspect: how wide its pixels are for their height.
    """

    index: int
    start: Fraction
    end: Fraction
    frame: av.VideoFrame
    aspect: Fraction = Fraction(1)


def read_video(path: str | Path) -> Iterator[Shown]:
    """The pictures of a video, one after the other; only a few are in memory at a time.

    A picture is on show until the next one comes, so that variable frame rates need no care.

    Args:
        path: a file in any format that FFmpeg knows, whatever it is called.

    Raises:
        BadRecord: the file cannot be read (step `read video`), or is no video or damaged (step
            `decode video`); it is raised where the damage is.

    Example:
        >>> pictures = list(read_video("clip.mp4"))  # doctest: +SKIP
        >>> [float(picture.start) for picture in pictures[:3]]  # doctest: +SKIP
        [0.0, 0.04, 0.08]
    """
    decoded = _Counted()
    with _reporting(lambda: decoded.number), _open(path) as container:
        stream = _find_stream(container)
        step = 1 / (stream.average_rate or _USUAL_RATE)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        yield from _show(decoded.count(container.decode(stream)), step, aspect)


def find_duration(path: str | Path) -> Fraction:
    """How long a video is, in seconds, from its packets: no picture is decoded.

    What a container says of itself need not be true, above all where its end was cut off.

    Raises:
        BadRecord: see `read_video`.
    """
    with _reporting(lambda: 0), _open(path) as container:
        stream = _find_stream(container)
        step = 1 / (stream.average_rate or _USUAL_RATE)
        times, count = list[int](), 0
        for packet in container.demux(stream):
            count += packet.size > 0
            if packet.pts is not None:
                times.append(packet.pts)
        if not times or stream.time_base is None:
            return count * step
        times.sort()
        _check_times(len(times), times[0], times[-1])
        longest = max((b - a for a, b in pairwise(times)), default=0) * stream.time_base
        _check_still(max(longest, step))
        return (times[-1] - times[0]) * stream.time_base + step


def sample_pictures(pictures: Iterable[Shown], rate: float) -> Iterator[tuple[Fraction, Shown]]:
    """The picture that is on show in the middle of each 1/`rate` of a second, and that time.

    At the rate at which a video was taken these are its pictures, each once, however their times
    were rounded. Where a video is slower, pictures come several times.

    Args:
        pictures: of a video, see `read_video`.
        rate: pictures for each second.

    Example:
        >>> pictures = [Shown(i, Fraction(i, 4), Fraction(i + 1, 4), None) for i in range(4)]
        >>> [(float(time), shown.index) for time, shown in sample_pictures(pictures, rate=2)]
        [(0.25, 1), (0.75, 3)]
    """
    step = 1 / Fraction(rate).limit_denominator(100_000)
    time = step / 2
    for shown in pictures:
        while time < shown.end:
            yield time, shown
            time += step


@contextmanager
def _reporting(decoded: Callable[[], int]) -> Iterator[None]:
    """What PyAV raises in this block becomes a bad record.

    Args:
        decoded: how many pictures have been decoded so far.

    Raises:
        BadRecord: of the file system (step `read video`), or of the data (step `decode video`).
    """
    import av  # configs of videos are read where it is not installed

    try:
        yield
    except OSError as fault:  # FFmpeg's own faults of data are ValueErrors
        raise describe_fault("read video", fault, decoded()) from fault
    except (av.FFmpegError, UnicodeError) as fault:
        raise describe_fault("decode video", fault, decoded()) from fault


@contextmanager
def _open(path: str | Path) -> Iterator[av.container.InputContainer]:
    import av  # as above

    placed = as_path(path)
    with ExitStack() as opened:
        # FFmpeg opens files itself, and reads those of a store through their methods.
        stored = isinstance(placed, StorePath)
        if not stored:
            check_regular(placed)
        file = opened.enter_context(placed.open("rb")) if stored else str(path)
        # Some pictures are decoded already to find out what is in the file.
        options = _limits()
        container = av.open(file, "r", options=options, metadata_errors="ignore")
        opened.enter_context(container)
        if container.format.name in _LISTS:
            raise BadRecord("read video", "a list of other files, which may lie anywhere")
        yield container


def _limits() -> dict[str, str]:
    """FFmpeg's options that refuse pictures larger than image files may be.

    They are refused before they are given memory: a damaged header may ask for gigabytes.
    """
    most = Image.MAX_IMAGE_PIXELS
    return {} if most is None else {"max_pixels": str(most)}


def _find_stream(container: av.container.InputContainer) -> av.VideoStream:
    stream = container.streams.best("video")
    if stream is None or stream.type != "video" or _is_cover(stream):
        raise BadRecord("decode video", "there is no video in it")
    if stream.codec_context is None:
        raise BadRecord("decode video", "nothing says how it is encoded")
    if stream.codec_context.name in _WRITING:
        raise BadRecord("decode video", "it is text, which would be drawn")
    stream.codec_context.options = _limits()
    stream.codec_context.thread_count = 1  # Beam's workers share the machine already
    return cast("av.VideoStream", stream)


def _is_cover(stream: av.stream.Stream) -> bool:
    """Whether it is the picture of a piece of music."""
    import av  # as above

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _show(frames: Iterable[av.VideoFrame], step: Fraction, aspect: Fraction) -> Iterator[Shown]:
    """Pictures with the times of their appearance, the first at 0, each later than the last."""
    origin: Fraction | None = None
    waiting: tuple[int, Fraction, av.VideoFrame] | None = None  # its end is not known yet
    for index, (time, frame) in enumerate(_order_times(frames, step)):
        origin = time if origin is None else origin
        start = time - origin
        if waiting is not None:
            start = max(start, waiting[1])
            _check_still(start - waiting[1])
            yield Shown(waiting[0], waiting[1], start, waiting[2], aspect)
        waiting = index, start, frame
    if waiting is not None:
        index, start, frame = waiting
        _check_times(index + 1, Fraction(0), start)
        lasts = frame.duration * frame.time_base if frame.duration and frame.time_base else step
        _check_still(lasts)
        yield Shown(index, start, start + lasts, frame, aspect)


def _check_times(pictures: int, first: Fraction | int, last: Fraction | int) -> None:
    if pictures > 1 and first == last:
        raise BadRecord("decode video", f"its {pictures:,} pictures are all of one time")


def _check_still(seconds: Fraction) -> None:
    if seconds > MAX_STILL:
        reason = (
            f"a picture is on show for {float(seconds):,.0f} seconds, at most {MAX_STILL} may be"
        )
        raise BadRecord("decode video", reason)


class _Counted:
    """How many pictures were decoded, of which some wait for earlier ones."""

    def __init__(self) -> None:
        self.number = 0

    def count(self, frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        for frame in frames:
            self.number += 1
            yield frame


def _order_times(
    frames: Iterable[av.VideoFrame], step: Fraction
) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Pictures with times that rise.

    AVI and some others give a picture the time of its packet, and packets do not lie in the order
    of the pictures: the next picture's time is the earliest one at hand.
    """
    pictures: deque[av.VideoFrame] = deque()
    times: list[Fraction] = []
    for index, frame in enumerate(frames):
        time = index * step
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base
        heapq.heappush(times, time)
        pictures.append(frame)
        if len(pictures) > _REORDERED:
            yield heapq.heappop(times), pictures.popleft()
    while pictures:
        yield heapq.heappop(times), pictures.popleft()


def describe_fault(step: str, fault: Exception, done: int = 0) -> BadRecord:
    """What PyAV raised, as a bad record.

    Args:
        step: what was being done.
        fault: what it raised.
        done: how many pictures had been decoded.
    """
    reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    most = Image.MAX_IMAGE_PIXELS
    if step == "decode video" and getattr(fault, "errno", None) == EINVAL and most is not None:
        reason = f"{reason}; pictures may have at most {most:,} pixels"
    return BadRecord(step, f"{reason}, after {done} pictures" if done else reason)
