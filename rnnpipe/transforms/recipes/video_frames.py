"""How records of videos are made: frames sampled by time, as JPEGs, each with its label."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.records.specs import VIDEO, VIDEO_FEATURES
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.labels import label_notices
from rnnpipe.sources.raw_files import hash_ends
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.clips import Segment, name_frames
from rnnpipe.sources.videos.source import VideoSource, VideoWindows
from rnnpipe.storage.paths import as_path
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Dropped, Encoded, Encoder
from rnnpipe.transforms.recipes.feature_recipe import FeatureRecipe
from rnnpipe.transforms.recipes.frame_windows import FrameWindow, FrameWindowReader
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels, too_few_labels

if TYPE_CHECKING:  # what reads a config needs neither NumPy nor PyAV
    import numpy as np

    from rnnpipe.sources.videos.decoding import Shown
    from rnnpipe.sources.videos.framing import Framing

    Array = np.ndarray[Any, np.dtype[Any]]

NO_LABEL = -1

_FRAMES, _CLIPS = "frame labels", "clip labels"


class FrameOptions(ImageOptions):
    """Which frames of a video are stored, and how."""

    rate: float = setting(12.0, "frames per second of video", gt=0)
    max_frames: int = setting(256, "of a record; longer videos become several", ge=1)
    box: tuple[float, float, float, float] | None = setting(
        None,
        "left, top, right and bottom of what is kept, as fractions of the frame; null: all of it",
    )

    def check(self) -> None:
        """The box lies in the frame, and has an area."""
        if self.box is None:
            return
        left, top, right, bottom = self.box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            expected = "left < right and top < bottom, from 0 to 1"
            fix = "write e.g. [0.25, 0.25, 0.75, 0.75]"
            raise UserError("box", expected, str(list(self.box)), fix)

    @property
    def framing(self) -> "Framing":
        """How a picture becomes a square."""
        from rnnpipe.sources.videos.framing import Framing

        return Framing(self.size, self.fit, self.box)


class VideoRecordOptions(Settings):
    """How records of videos are made."""

    frames: FrameOptions = FrameOptions()
    features: FeatureOptions | None = setting(
        None, "features of each frame, stored beside it; null: the model reads frames"
    )


class VideoRecipe(VideoRecordOptions, FeatureRecipe):
    """How records of videos are made.

    The labels are those of the training split, in the order of their names (numbers by value);
    a video with another label in another split is a dead letter.
    """

    libraries = ("av", *FeatureRecipe.libraries)
    specs = (VIDEO, VIDEO_FEATURES)

    @property
    def convert(self) -> "ConvertFrame":
        """How pictures become frames."""
        framing, backbone = self.frames.framing, None
        if self.features is not None:
            backbone = replace(framing, size=self.features.image_size)
        return ConvertFrame(framing, self.frames.jpeg_quality, backbone)

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
            UserError: there is but one of each, or the backbone cannot be made.
        """
        recipe = make_paths_absolute(self)  # workers run in other folders
        if recipe.features is not None:
            _ = recipe.features.shape  # what is wrong with it shows here, before the work begins
        frames, clips = learn_labels(counts[_FRAMES]), learn_labels(counts[_CLIPS])
        if len(frames) < 2 and len(clips) < 2:
            what = "two labels of frames, or two of clips,"
            raise too_few_labels(what, frames, clips)
        save_labels(folder / LABELS, frames)
        save_labels(folder / CLIP_LABELS, clips)
        return VideoEncoder(
            recipe,
            {label: number for number, label in enumerate(frames)},
            {label: number for number, label in enumerate(clips)},
        )

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How often each label begins, and how many clips of each class there are, in training."""
        return {
            "training_segments": dict(sorted(counts[_FRAMES].items())),
            "training_clips": dict(sorted(counts[_CLIPS].items())),
        }

    def count_notices(self, counts: Counts) -> Sequence[str]:
        """Labels of frames, and classes of clips, that may be one, or none."""
        return [*label_notices(counts[_FRAMES]), *label_notices(counts[_CLIPS])]

    def notices(self, split: str, totals: Mapping[str, int]) -> Sequence[str]:
        """How many frames are damaged."""
        damaged, frames = totals["frames_damaged"], totals["frames"]
        notice = f"{damaged:,} of {frames:,} {split} frames are damaged, parts are guessed"
        return [notice] if damaged else []

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
        """The record of one window of a video.

        Raises:
            BadRecord: the video cannot be read, decoded or matched with its labels.
            Dropped: the video ends before the window.
        """
        fields, recipe = reference.fields, self.recipe
        clip_label = _find(self.clip_ids, fields["clip_label"])
        reader = _read_windows(fields["video"], recipe.frames.rate, recipe.convert)
        window = reader.read(fields["first"], fields["count"])
        if not window.frames:
            if fields["first"]:
                raise Dropped("no frame of the video is left for it")
            raise BadRecord("sample video", "it ends before the first frame is due")
        places = window.times if fields["unit"] == "seconds" else window.indices
        _check_end(fields["segments"], fields["unit"], window)
        labels = [_find(self.frame_ids, name) for name in name_frames(fields["segments"], places)]
        values = {
            "video_id": reference.key,
            "frames_jpeg": [frame.jpeg for frame in window.frames],
            "frame_times": [float(time) for time in window.times],
            "frame_labels": labels,
            "clip_label": clip_label,
        }
        if recipe.features is not None:
            values["frame_features"] = _compute(recipe.features, window)
        measures = {
            "frames": len(labels),
            "frames_unlabelled": labels.count(NO_LABEL),
            "frames_damaged": sum(frame.is_damaged for frame in window.frames),
        }
        is_first = not fields["first"]  # of the windows of a video
        contents = {"video": hash_ends(as_path(fields["video"]))} if is_first else {}
        return Encoded(values, measures, contents)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is kept of a picture.

    Args:
        jpeg: the stored image.
        pixels: what the backbone sees, uint8 `(height, width, 3)`; None: there is no backbone.
        is_damaged: whether the decoder had to guess parts of it.
    """

    jpeg: bytes
    pixels: "Array | None"
    is_damaged: bool


@dataclass(frozen=True, slots=True)
class ConvertFrame:
    """Makes frames of pictures.

    Args:
        framing: how they become the stored squares.
        quality: of the JPEGs.
        backbone: how they become the backbone's; None: there is none.
    """

    framing: "Framing"
    quality: int
    backbone: "Framing | None"

    def __call__(self, shown: "Shown") -> Frame:
        """The frame of a picture."""
        import numpy as np

        from rnnpipe.sources.images.decoding import encode_jpeg

        pixels = None if self.backbone is None else np.asarray(self.backbone(shown))
        jpeg = encode_jpeg(self.framing(shown), self.quality)
        return Frame(jpeg, pixels, shown.frame.is_corrupt)


@lru_cache(maxsize=1)
def _read_windows(path: str, rate: float, convert: ConvertFrame) -> FrameWindowReader[Frame]:
    """The reader of a video; its windows follow each other, so the last one is kept."""
    return FrameWindowReader(path, rate, convert)


def _compute(features: FeatureOptions, window: FrameWindow[Frame]) -> "Array":
    """The features of frames, `(frames, features)`; of a picture that stays on show only once."""
    import numpy as np

    _, first, which = np.unique(window.indices, return_index=True, return_inverse=True)
    pixels = [window.frames[place].pixels for place in first]
    vectors: Array = features.vectors(np.stack(pixels))[which]
    return vectors


def _find(ids: Mapping[str, int], label: str | None) -> int:
    if label is None:
        return NO_LABEL
    if label not in ids:
        raise BadRecord("encode label", f"the training split has no {label!r}")
    return ids[label]


def _check_end(segments: Sequence[Segment], unit: str, window: FrameWindow) -> None:
    """Labels that begin after the video's end are a sign that it was cut off."""
    if window.end is None or not segments:
        return
    start, _, label = segments[-1]
    end = window.end[0] if unit == "seconds" else window.end[1]
    if start >= end:
        reason = f"{label!r} begins at {start:g} {unit}, but the video ends at {float(end):g}"
        raise BadRecord("match labels", reason)


class VideoData(VideoRecordOptions, Data):
    """Videos and what is made of them."""

    recipe = VideoRecipe
    extras = ("video", "tensorflow")  # TensorFlow Datasets describes records of videos with it

    source: VideoSource

    def open_source(self) -> VideoWindows:
        """The videos, in windows of as many frames as a record holds."""
        frames = self.frames
        return VideoWindows(videos=self.source, rate=frames.rate, max_frames=frames.max_frames)
