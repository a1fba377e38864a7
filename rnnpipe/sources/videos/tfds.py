"""Videos of TensorFlow Datasets, e.g. ucf101."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.settings import setting
from rnnpipe.sources.source import Progress
from rnnpipe.sources.tfds import Tfds
from rnnpipe.sources.videos.source import VideoSource
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.storage.cache import cache_folder

_TABLE = "clips.jsonl"
_PROGRESS_EVERY = 20


class TfdsVideos(Tfds, VideoSource):
    """A data set of TensorFlow Datasets whose examples have a video and a class, e.g. ucf101.

    Each video becomes a file. Where the frames' height or width is odd, the last row or column is
    left out.
    """

    video: str = setting("video", "the feature with the frames")
    label: str = setting("label", "the feature with the class")
    frame_rate: float = setting(
        25.0, "frames per second of its videos, which it does not store", gt=0
    )

    @property
    def labels_frames(self) -> bool:
        """Never: a class belongs to a whole clip."""
        return False

    @property
    def fields(self) -> Mapping[str, str]:
        """The features with the frames and with the class."""
        return {"video": self.video, "label": self.label}

    @cached_property
    def root(self) -> Path:
        """The folder of the video files; their frame rate is part of them."""
        return cache_folder("raw") / "tfds_videos" / f"{self.frame_rate:g}fps"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which data set it is, what of it is read, and its frame rate."""
        return {**super().settings, "frame_rate": self.frame_rate}

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """Pictures as they are, a class by its name, nothing where there is none."""
        if field == "video":
            return value
        label = super().convert(field, feature, value)
        return "" if label is None else str(label)

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a video file for each example, and a table of them."""
        from PIL import Image

        from rnnpipe.sources.videos.files import encode_video

        total, done = self.count(), 0
        with (folder / _TABLE).open("w", encoding="utf-8") as file:
            for split, instruction in self.instructions.items():
                (folder / split).mkdir()
                for number, example in enumerate(self.examples(instruction)):
                    name = f"{split}/{number:06d}.mp4"
                    pictures = map(Image.fromarray, example["video"])
                    encode_video(folder / name, pictures, self.frame_rate)
                    row = {"clip": name, "label": example["label"], "split": split}
                    file.write(json.dumps(row) + "\n")
                    done += 1
                    if done % _PROGRESS_EVERY == 0:
                        progress(done, total)

    def open(self, folder: Path) -> ClipTable:
        """The reader of these files."""
        return ClipTable(path=folder, table=Path(_TABLE), split="split")
