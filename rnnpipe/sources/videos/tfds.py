"""Videos of TensorFlow Datasets, e.g. ucf101."""

import csv
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from rnnpipe.sources.source import Progress, Source
from rnnpipe.sources.text.tfds import Tfds
from rnnpipe.sources.videos.clips import Sampling
from rnnpipe.sources.videos.files import encode_video
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.storage.paths import as_path

_TABLE = "clips.csv"
_PROGRESS_EVERY = 20


class TfdsVideos(Tfds):
    """A data set of TensorFlow Datasets whose examples have a video and a class.

    The examples are read through TensorFlow Datasets once, into a video file each: the workers of a
    build then need no TensorFlow. Videos whose frames have an odd height or width lose their last
    row or column.

    Args:
        path: where these files go.
        sampling: which frames become records.
        fields: the features that are `video` and `label`.
        name: the data set, see `Tfds`.
        data_dir: TensorFlow Datasets' folder.
        splits: what of the data set becomes each split.
        frame_rate: frames for each second of its videos, which the data set does not tell.
    """

    kind = "tfds"

    def __init__(
        self,
        path: str | Path,
        sampling: Sampling,
        fields: Mapping[str, str],
        *,
        name: str | None = None,
        data_dir: str | Path | None = None,
        splits: Mapping[str, str] | None = None,
        frame_rate: float = 25.0,
    ) -> None:
        folder = as_path(path) / f"{frame_rate:g}fps"
        super().__init__(folder, fields, name=name, data_dir=data_dir, splits=splits)
        self._sampling, self._frame_rate = sampling, frame_rate

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which data set it is, what of it is read, and which frames become records."""
        more = {"frame_rate": self._frame_rate, "sampling": asdict(self._sampling)}
        return {**super().settings, **more}

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """Pictures as they are, a class by its name, nothing where there is none."""
        if field == "video":
            return value
        label = super().convert(field, feature, value)
        return "" if label is None else str(label)

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a video file for each example, and a table of them."""
        total, done = self.count(), 0
        with (folder / _TABLE).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["clip", "label", "split"])
            for split, instruction in self.instructions.items():
                (folder / split).mkdir()
                for number, example in enumerate(self.examples(instruction)):
                    name = f"{split}/{number:06d}.mp4"
                    pictures = map(Image.fromarray, example["video"])
                    encode_video(folder / name, pictures, self._frame_rate)
                    table.writerow([name, example["label"], split])
                    done += 1
                    if done % _PROGRESS_EVERY == 0:
                        progress(done, total)

    def open(self, folder: Path) -> Source:
        """The reader of these files."""
        return ClipTable(folder, self._sampling, split="split")
