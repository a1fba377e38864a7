"""How records of videos are made: frames sampled by time, as JPEGs, each with its label."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.records.specs import VIDEO, RecordSpec
from rnnpipe.sources.images import Fit, encode_jpeg
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.clips import Segment
from rnnpipe.sources.videos.decoding import Framing, Shown, read_video, sample_pictures
from rnnpipe.transforms.labels import learn_labels, save_labels
from rnnpipe.transforms.recipe import Counts, Dropped, Encoded, Encoder, Recipe

NO_LABEL = -1

_FRAMES, _CLIPS = "frame labels", "clip labels"


@dataclass(frozen=True, slots=True)
class VideoRecipe(Recipe):
    """How records of videos are made.

    The labels are those of the training split, in the order of their names (numbers by value);
    a video with another label in another split is a dead letter.

    Args:
        frame_rate: frames for each second, see `sample_pictures`.
        size: height and width of the stored frames, in pixels.
        fit: how a frame that is not square becomes square.
        box: what is kept of each frame, see `Framing`.
        jpeg_quality: quality of the stored frames, from 1 to 95.
    """

    frame_rate: float = 12.0
    size: int = 64
    fit: Fit = "stretch"
    box: tuple[float, float, float, float] | None = None
    jpeg_quality: int = 92

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return VIDEO

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return asdict(self)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The labels of the frames, once for each segment, and the class of the clip."""
        if reference.fields["first"] == 0:
            for _, _, label in reference.fields["segments"]:
                yield _FRAMES, label
            if (label := reference.fields["clip_label"]) is not None:
                yield _CLIPS, label

    def learn(self, counts: Counts, folder: Path) -> "VideoEncoder":
        """The labels of frames and of clips; both are saved in `folder`.

        Raises:
            UserError: there is but one of each.
        """
        frames, clips = learn_labels(counts[_FRAMES]), learn_labels(counts[_CLIPS])
        if len(frames) < 2 and len(clips) < 2:
            got = ", ".join([*frames, *clips]) or "none"
            fix = "check data.source"
            raise UserError("data.source", "labels of two kinds or more", f"only {got}", fix)
        save_labels(folder / LABELS, frames)
        save_labels(folder / CLIP_LABELS, clips)
        return VideoEncoder(
            self,
            {label: number for number, label in enumerate(frames)},
            {label: number for number, label in enumerate(clips)},
        )

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How often each label begins, and how many clips of each class there are, in training."""
        return {
            "training_segments": dict(sorted(counts[_FRAMES].items())),
            "training_clips": dict(sorted(counts[_CLIPS].items())),
        }

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The share of frames that have no label."""
        return {"frames_unlabelled": totals["frames_unlabelled"] / max(totals["frames"], 1)}


@dataclass(frozen=True, slots=True)
class VideoEncoder(Encoder):
    """Makes records of references.

    Args:
        recipe: how.
        frame_ids: the number of each frame label by its name.
        clip_ids: the number of each clip label by its name.
    """

    recipe: VideoRecipe
    frame_ids: Mapping[str, int]
    clip_ids: Mapping[str, int]

    def encode(self, reference: Reference) -> Encoded:
        """The record of one stretch of a video.

        Raises:
            BadRecord: the video cannot be read, decoded or matched with its labels.
            Dropped: the video ends before the stretch.
        """
        fields, recipe = reference.fields, self.recipe
        clip_label = _find(self.clip_ids, fields["clip_label"])
        framing = Framing(recipe.size, recipe.fit, recipe.box)
        reader = _read_stretches(fields["video"], recipe.frame_rate, framing, recipe.jpeg_quality)
        stretch = reader.read(fields["first"], fields["count"])
        if not stretch.jpegs:
            if fields["first"]:
                raise Dropped("no frame of the video is left for it")
            raise BadRecord("sample video", "it ends before the first frame is due")
        places = stretch.times if fields["unit"] == "seconds" else stretch.indices
        _check_end(fields["segments"], fields["unit"], stretch)
        labels = [_find(self.frame_ids, name) for name in name_frames(fields["segments"], places)]
        values = {
            "video_id": reference.key,
            "frames_jpeg": stretch.jpegs,
            "frame_times": [float(time) for time in stretch.times],
            "frame_labels": labels,
            "clip_label": clip_label,
        }
        unlabelled = labels.count(NO_LABEL)
        measures = {"frames": len(labels), "frames_unlabelled": unlabelled}
        return Encoded(values, measures)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames that follow each other.

    Args:
        jpegs: the frames.
        times: the middle of the time for which each stands, in seconds.
        indices: its number in the file.
        end: when the video ends, in seconds, and after how many frames of the file; None: later.
    """

    jpegs: list[bytes]
    times: list[Fraction]
    indices: list[int]
    end: tuple[Fraction, int] | None


class StretchReader:
    """The stretches of one video, read one after the other without going back to its start.

    Args:
        path: the video.
        rate: frames for each second.
        framing: how they become squares.
        quality: of the JPEGs.
    """

    def __init__(self, path: str, rate: float, framing: Framing, quality: int) -> None:
        self._path, self._rate = path, rate
        self._framing, self._quality = framing, quality
        self._start()

    def _start(self) -> None:
        self._sampled = sample_pictures(self._watch(), self._rate)
        self._next, self._end = -1, (Fraction(0), 0)
        self._fault: BadRecord | None = None
        self._step()

    def _watch(self) -> Iterator[Shown]:
        for shown in read_video(self._path):
            self._end = shown.end, shown.index + 1
            yield shown

    def _step(self) -> None:
        """Look one frame ahead: only so is it known whether the video ends with a stretch."""
        self._next += 1
        try:
            self._ahead = next(self._sampled, None)
        except BadRecord as fault:
            self._ahead, self._fault = None, fault

    def read(self, first: int, count: int) -> Stretch:
        """`count` frames from frame `first` on, or as many as there are.

        Raises:
            BadRecord: the video cannot be read or decoded.
        """
        if first < self._next:
            self._start()
        jpegs: list[bytes] = []
        times: list[Fraction] = []
        indices: list[int] = []
        while self._ahead is not None and self._next < first + count:
            time, shown = self._ahead
            if self._next >= first:
                again = indices and indices[-1] == shown.index  # it is on show still
                jpegs.append(jpegs[-1] if again else self._encode(shown))
                times.append(time)
                indices.append(shown.index)
            self._step()
        if self._fault is not None and len(jpegs) < count:
            raise self._fault
        ended = self._ahead is None and self._fault is None
        return Stretch(jpegs, times, indices, self._end if ended else None)

    def _encode(self, shown: Shown) -> bytes:
        return encode_jpeg(self._framing(shown), self._quality)


_read_stretches = lru_cache(maxsize=1)(StretchReader)
"""The reader of a video; its stretches follow each other, so the last one is kept."""


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


def _find(ids: Mapping[str, int], label: str | None) -> int:
    if label is None:
        return NO_LABEL
    if label not in ids:
        raise BadRecord("encode label", f"the training split has no {label!r}")
    return ids[label]


def _check_end(segments: Sequence[Segment], unit: str, stretch: Stretch) -> None:
    """Labels that begin after the video's end are a sign that it was cut off."""
    if stretch.end is None or not segments:
        return
    start, _, label = segments[-1]
    end = stretch.end[0] if unit == "seconds" else stretch.end[1]
    if start >= end:
        reason = f"{label!r} begins at {start:g} {unit}, but the video ends at {float(end):g}"
        raise BadRecord("match labels", reason)
