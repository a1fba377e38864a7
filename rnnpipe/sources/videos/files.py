"""Video files: how they are called, and pictures as one."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.storage.endings import VIDEO_ENDINGS

if TYPE_CHECKING:
    from PIL import Image


def is_video(name: str) -> bool:
    """Whether a file is a video, by the ending of its name."""
    return name.lower().endswith(VIDEO_ENDINGS)


def encode_video(path: Path, pictures: Iterable["Image.Image"], rate: float) -> None:
    """Writes pictures as an MPEG-4 video file; equal pictures give equal bytes.

    Where their height or width is odd, the last row or column is left out.

    Args:
        path: the file, called `.mp4`.
        pictures: one or more of mode `RGB`, all of one size.
        rate: frames for each second.
    """
    import av  # configs of videos are read where it is not installed

    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate).limit_denominator(60_000))
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"qmin": "2", "qmax": "2", "flags": "+bitexact"}
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.width, stream.height = (side // 2 * 2 for side in picture.size)
            even = picture.crop((0, 0, stream.width, stream.height))
            frame = av.VideoFrame.from_image(even)  # type: ignore[no-untyped-call]  # PyAV's
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
