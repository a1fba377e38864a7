"""Labelled clips, whatever data set they come from."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal, TypedDict

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.sources.source import Reference

Unit = Literal["seconds", "frames"]

Segment = tuple[float, float, str]
"""From when, until when (which is no part of it), and what is so called."""

_STEP = "read labels"


class ClipFields(TypedDict):
    """The `fields` of a reference to a clip.

    Args:
        video: path of the file.
        clip_label: the class of the whole clip; `None`: it has none.
        segments: the labels of its frames, in order; frames between them have none.
        unit: whether segments are measured in seconds or in frames of the file.
    """

    video: str
    clip_label: str | None
    segments: list[Segment]
    unit: Unit


class WindowFields(ClipFields):
    """The `fields` of a reference to a window of a video: those of its clip, and its frames.

    Args:
        first: number of the window's first frame, counted at the rate at which it is sampled.
        count: how many frames it has at most.
    """

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A video with its labels.

    Args:
        key: its name, the same on every machine.
        path: its file.
        split: the split that the raw data puts it in.
        clip_label: see `ClipFields`.
        segments: see `ClipFields`.
        unit: see `ClipFields`.
    """

    key: str
    path: str
    split: str = "train"
    clip_label: str | None = None
    segments: Sequence[Segment] = ()
    unit: Unit = "seconds"


def refer_clip(clip: Clip) -> Reference:
    """The reference to a clip, with the fields of `ClipFields`."""
    fields = ClipFields(
        video=clip.path,
        clip_label=clip.clip_label,
        segments=list(clip.segments),
        unit=clip.unit,
    )
    return Reference(clip.key, clip.key, clip.split, {**fields})


def cut_windows(clip: Reference, rate: float, max_frames: int) -> Iterator[Reference | DeadLetter]:
    """The windows of a clip: one, unless it is longer than a record may be.

    They share a group, so that one worker reads them one after the other and all of a video's
    windows are in one split. Memory does not grow with the length of a video.

    Args:
        clip: see `refer_clip`.
        rate: frames per second.
        max_frames: of a window.

    Yields:
        References with the fields of `WindowFields`; a dead letter where the file cannot be read,
        or the labels contradict each other.
    """
    from rnnpipe.sources.videos.decoding import find_duration

    try:
        _check_labels(clip.fields)
        seconds = find_duration(clip.fields["video"])
    except BadRecord as bad:
        yield DeadLetter(clip.key, clip.key, bad.step, bad.reason)
        return
    # The middle of a frame's time has to lie within the video.
    frames = math.floor(float(seconds) * rate + 0.5)
    for first in range(0, max(frames, 1), max_frames):
        fields = {**clip.fields, "first": first, "count": max_frames}
        yield Reference(f"{clip.key}:{first:08d}", clip.group, clip.split, fields)


def merge_frames(labels: Sequence[tuple[int, str]]) -> list[Segment]:
    """The segments, in frames, of labels of single frames.

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


def name_frames(
    segments: Sequence[Segment], places: Sequence[float | Fraction]
) -> Iterator[str | None]:
    """The label of what lies at each place: that of the segment around it, or None.

    Args:
        segments: in order.
        places: in the unit of the segments.

    Example:
        >>> list(name_frames([(0, 2, "up"), (3, 4, "down")], [0, 1.5, 2, 3]))
        ['up', 'up', None, 'down']
    """
    starts = [start for start, _, _ in segments]
    for place in places:
        at = bisect_right(starts, place) - 1
        yield segments[at][2] if at >= 0 and place < segments[at][1] else None


def _check_labels(fields: Mapping[str, Any]) -> None:
    segments = fields["segments"]
    if fields["clip_label"] is None and not segments:
        raise BadRecord(_STEP, "neither the clip nor its frames have a label")
    for start, end, label in segments:
        if not (0 <= start < end):
            raise BadRecord(_STEP, f"{label!r:.100} goes from {start:g} to {end:g}")
    for (_, end, before), (start, _, label) in pairwise(segments):
        if start < end:
            reason = f"{label!r:.100} begins at {start:g}, {before!r:.100} ends at {end:g}"
            raise BadRecord(_STEP, reason)


def number_of(value: Any, what: str) -> float:
    """A number of a file of labels.

    Raises:
        BadRecord: it is none.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadRecord(_STEP, f"{what} is no number: {value!r:.100}")
    return number
