"""Labelled clips, whatever data set they come from."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypedDict

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.decoding import find_duration

Unit = Literal["seconds", "frames"]

Segment = tuple[float, float, str]
"""From when, until when (which is no part of it), and what is so called."""

_STEP = "read labels"


class VideoFields(TypedDict):
    """The `fields` of a reference to a window of a video.

    Args:
        video: path of the file.
        first: number of the window's first frame, counted at the rate of `Sampling`.
        count: how many frames it has at most; 0: all that there are.
        clip_label: the class of the whole clip; `None`: it has none.
        segments: the labels of its frames, in order; frames between them have none.
        unit: whether segments are measured in seconds or in frames of the file.
    """

    video: str
    first: int
    count: int
    clip_label: str | None
    segments: list[Segment]
    unit: Unit


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are taken, and how many make a record.

    Args:
        rate: frames for each second.
        most: how many a record holds at most; longer videos become several.
    """

    rate: float
    most: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A video with its labels.

    Args:
        key: its name, the same on every machine.
        path: its file.
        part: its split.
        clip_label: see `VideoFields`.
        segments: see `VideoFields`.
        unit: see `VideoFields`.
    """

    key: str
    path: str
    split: str = "train"
    clip_label: str | None = None
    segments: Sequence[Segment] = ()
    unit: Unit = "seconds"


def refer_clip(clip: Clip, sampling: Sampling) -> Iterator[Reference | DeadLetter]:
    """The windows of a clip: one, unless it is longer than a record may be.

    They share a group, so that one worker reads them one after the other and no split has a part
    of a video of another. Memory does not grow with the length of a video.

    Yields:
        References with the fields of `VideoFields`; a dead letter where the file cannot be read,
        or the labels contradict each other.
    """
    try:
        _check_labels(clip)
        seconds = find_duration(clip.path)
    except BadRecord as bad:
        yield DeadLetter(clip.key, clip.key, bad.step, bad.reason)
        return
    # The middle of a frame's time has to lie within the video.
    frames = math.floor(float(seconds) * sampling.rate + 0.5)
    for first in range(0, max(frames, 1), sampling.most):
        fields = VideoFields(
            video=clip.path,
            first=first,
            count=sampling.most,
            clip_label=clip.clip_label,
            segments=list(clip.segments),
            unit=clip.unit,
        )
        yield Reference(f"{clip.key}:{first:08d}", clip.key, clip.split, {**fields})


def merge_frames(labels: Sequence[tuple[int, str]]) -> list[Segment]:
    """The segments, in frames, of labels that were given frame by frame.

    Example:
        >>> merge_frames([(0, "sil"), (1, "sil"), (3, "bin")])
        [(0, 2, 'sil'), (3, 4, 'bin')]
    """
    merged: list[Segment] = []
    for frame, label in sorted(labels):
        if merged and merged[-1][1:] == (frame, label):
            merged[-1] = (merged[-1][0], frame + 1, label)
        else:
            merged.append((frame, frame + 1, label))
    return merged


def _check_labels(clip: Clip) -> None:
    if clip.clip_label is None and not clip.segments:
        raise BadRecord(_STEP, "neither the clip nor its frames have a label")
    for start, end, label in clip.segments:
        if not (0 <= start < end):
            raise BadRecord(_STEP, f"{label!r} goes from {start:g} to {end:g}")
    for (_, end, before), (start, _, label) in pairwise(clip.segments):
        if start < end:
            raise BadRecord(_STEP, f"{label!r} begins at {start:g}, {before!r} ends at {end:g}")


def number_of(value: Any, what: str) -> float:
    """A number of a file of labels.

    Raises:
        BadRecord: it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise BadRecord(_STEP, f"{what} is no number: {value!r}")
    return number
