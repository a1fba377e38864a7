"""The sampled frames of a user's own video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.sources.videos.decoding import read_video, sample_pictures
from rnnpipe.tasks.video_labeling.labels import Array
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.video_frames import ConvertFrame, FrameOptions


class Frame(NamedTuple):
    """A frame of a video.

    Args:
        time: when it is on show, in seconds.
        image: as a record stores it, uint8 `(height, width, 3)`.
        pixels: what the network reads: the same, or what the backbone of its features reads.
    """

    time: float
    image: Array
    pixels: Array


def read_frames(
    path: str, frames: FrameOptions, features: FeatureOptions | None
) -> Iterator[Frame]:
    """The sampled frames of a video, one after the other.

    Args:
        path: the video.
        frames: how its frames are sampled.
        features: those that the network reads; None: it reads frames.

    Raises:
        UserError: the video cannot be read, or is too short.
    """
    backbone = None
    if features is not None:
        backbone = replace(frames.framing, size=features.image_size)
    convert = ConvertFrame(frames.framing, frames.jpeg_quality, backbone)
    is_empty = True
    try:
        for time, shown in sample_pictures(read_video(path), frames.rate):
            frame = convert(shown)
            image = decode_jpeg(frame.jpeg)
            yield Frame(float(time), image, image if frame.pixels is None else frame.pixels)
            is_empty = False
    except BadRecord as bad:
        fix = "name another file"
        raise UserError(f"--video {path}", "a video that can be read", bad.reason, fix) from bad
    if is_empty:
        expected, got = f"a video of at least {0.5 / frames.rate:g} s", "a shorter one"
        raise UserError(f"--video {path}", expected, got, "name a longer one")
