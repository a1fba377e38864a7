"""Videos: from whatever file there is to the pictures that are on show at given times."""

import heapq
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.decoding import Fit, square
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.store_path import StorePath

_USUAL_RATE = Fraction(25)
# Between two pictures that a decoder has to know first lie at most so many that it shows earlier.
_REORDERED = 4
_SKEW = 0.01  # of a display matrix that turns by right angles

MAX_STILL = 300
"""For how many seconds a picture may be on show: where one is for longer, times are damaged."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How a picture of a video becomes an upright square of RGB pixels.

    It is turned and mirrored as the file asks for, then the box is cut out. Pixels that are not
    square are taken as they are by the fit `stretch`, and made square for the others.

    Args:
        size: height and width of the square, in pixels.
        fit: how a picture that is not square becomes square, see `sources.images.decoding.Fit`.
        box: left, top, right and bottom of what is kept, as fractions of the upright picture;
            `None`: all of it.
    """

    size: int
    fit: Fit
    box: tuple[float, float, float, float] | None

    def __call__(self, shown: "Shown") -> Image.Image:
        """The square of a picture.

        Raises:
            BadRecord: its pixels cannot be read as RGB, or as wide as the file says they are they
                would be too many (step `decode video`).
        """
        image = _to_image(shown.frame)
        if self.fit != "stretch" and shown.aspect != 1:
            width = max(1, round(image.width * shown.aspect))
            check_size(width, image.height)
            image = image.resize((width, image.height))
        for turn in find_turns(shown.frame):
            image = image.transpose(turn)
        if self.box is not None:
            sides = (image.width, image.height) * 2
            left, top, right, bottom = (
                round(at * side) for at, side in zip(self.box, sides, strict=True)
            )
            image = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
        return square(image, self.size, self.fit)


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
    try:
        with _open(path) as container:
            stream = _find_stream(container)
            step = 1 / (stream.average_rate or _USUAL_RATE)
            aspect = stream.sample_aspect_ratio or Fraction(1)
            yield from _show(decoded.count(container.decode(stream)), step, aspect)
    except OSError as fault:  # of the file system; FFmpeg's own faults of data are ValueErrors
        raise _bad("read video", fault, decoded.number) from fault
    except (av.FFmpegError, UnicodeError) as fault:
        raise _bad("decode video", fault, decoded.number) from fault


def find_duration(path: str | Path) -> Fraction:
    """How long a video is, in seconds, from its packets: no picture is decoded.

    What a container says of itself need not be true, above all where its end was cut off.

    Raises:
        BadRecord: see `read_video`.
    """
    try:
        with _open(path) as container:
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
            longest = max((b - a for a, b in pairwise(times)), default=0) * stream.time_base
            _check_still(max(longest, step))
            return (times[-1] - times[0]) * stream.time_base + step
    except OSError as fault:
        raise _bad("read video", fault, 0) from fault
    except (av.FFmpegError, UnicodeError) as fault:
        raise _bad("decode video", fault, 0) from fault


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
def _open(path: str | Path) -> Iterator[av.container.InputContainer]:
    placed = as_path(path)
    with ExitStack() as opened:
        # FFmpeg opens files itself, and reads those of a store through their methods.
        stored = isinstance(placed, StorePath)
        file = opened.enter_context(placed.open("rb")) if stored else str(path)
        yield opened.enter_context(av.open(file, "r", metadata_errors="ignore"))


def _find_stream(container: av.container.InputContainer) -> av.VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        raise BadRecord("decode video", "there is no video in it")
    if stream.codec_context is None:
        raise BadRecord("decode video", "nothing says how it is encoded")
    check_size(stream.codec_context.width, stream.codec_context.height)
    stream.codec_context.thread_count = 1  # Beam's workers share the machine already
    return stream


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
        lasts = frame.duration * frame.time_base if frame.duration and frame.time_base else step
        _check_still(lasts)
        yield Shown(index, start, start + lasts, frame, aspect)


def _check_still(seconds: Fraction) -> None:
    if seconds > MAX_STILL:
        reason = (
            f"a picture is on show for {float(seconds):,.0f} seconds, at most {MAX_STILL} may be"
        )
        raise BadRecord("decode video", reason)


def check_size(width: int, height: int) -> None:
    """Checks that a picture is not larger than an image file may be.

    Raises:
        BadRecord: it is (step `decode video`).
    """
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and width * height > most:
        reason = f"{width:,} x {height:,} pixels are more than {most:,}"
        raise BadRecord("decode video", reason)


def _to_image(frame: av.VideoFrame) -> Image.Image:
    try:
        return frame.to_image()  # type: ignore[no-untyped-call,no-any-return]  # PyAV's
    except (OSError, av.FFmpegError) as fault:  # damage may spell colours that nothing converts
        raise _bad("decode video", fault, 0) from fault


def find_turns(frame: av.VideoFrame) -> list[Image.Transpose]:
    """What makes a picture upright: how its display matrix turns and mirrors it.

    Matrices that do neither by right angles are passed over.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return []
    data = bytes(matrix)  # type: ignore[call-overload]  # PyAV does not say that it is a buffer
    a, b, _, c, d, *_ = struct.unpack("=9i", data[:36])
    across, along = max(abs(a), abs(d)), max(abs(b), abs(c))
    if min(across, along) > _SKEW * max(across, along):
        return []
    turns = [Image.Transpose.TRANSPOSE] if along > across else []
    # From here on what goes right and down is what the first number of each row says.
    right, down = (c, b) if turns else (a, d)
    turns += [Image.Transpose.FLIP_LEFT_RIGHT] if right < 0 else []
    return turns + ([Image.Transpose.FLIP_TOP_BOTTOM] if down < 0 else [])


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


def _bad(step: str, fault: Exception, done: int) -> BadRecord:
    reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    return BadRecord(step, f"{reason}, after {done} pictures" if done else reason)
