"""From a picture of a video to an upright square of RGB pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.decoding import square
from rnnpipe.sources.images.fit import Fit
from rnnpipe.sources.videos.decoding import Shown, describe_fault

if TYPE_CHECKING:
    import av

_SKEW = 0.01  # of a display matrix that turns by right angles


@dataclass(frozen=True, slots=True)
class Framing:
    """How a picture of a video becomes an upright square of RGB pixels.

    It is turned and mirrored as the file asks for, then the box is cut out. Pixels that are not
    square are taken as they are by the fit `stretch`, and made square for the others.

    Args:
        size: height and width of the square, in pixels.
        fit: how a picture that is not square becomes square, see `sources.images.fit.Fit`.
        box: left, top, right and bottom of what is kept, as fractions of the upright picture;
            `None`: all of it.
    """

    size: int
    fit: Fit
    box: tuple[float, float, float, float] | None

    def __call__(self, shown: Shown) -> Image.Image:
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
    import av  # configs of videos are read where it is not installed

    try:
        return frame.to_image()  # type: ignore[no-untyped-call,no-any-return]  # PyAV's
    except (OSError, av.FFmpegError) as fault:  # damage may spell colours that nothing converts
        raise describe_fault("decode video", fault) from fault


def find_turns(frame: av.VideoFrame) -> list[Image.Transpose]:
    """What makes a picture upright: how its display matrix turns and mirrors it.

    Matrices that do neither by right angles are passed over.
    """
    from av.sidedata.sidedata import SideDataContainer  # as above

    # `frame.side_data` keeps the container in the frame, and so the frame until garbage is
    # collected: hundreds of decoded pictures.
    matrix = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # untyped
    if matrix is None:
        return []
    data = bytes(matrix)
    a, b, _, c, d, *_ = struct.unpack("=9i", data[:36])
    across, along = max(abs(a), abs(d)), max(abs(b), abs(c))
    if min(across, along) > _SKEW * max(across, along):
        return []
    turns = [Image.Transpose.TRANSPOSE] if along > across else []
    # From here on what goes right and down is what the first number of each row says.
    right, down = (c, b) if turns else (a, d)
    turns += [Image.Transpose.FLIP_LEFT_RIGHT] if right < 0 else []
    return turns + ([Image.Transpose.FLIP_TOP_BOTTOM] if down < 0 else [])
