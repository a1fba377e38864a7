"""Images with captions of TensorFlow Datasets, e.g. coco_captions."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.settings import setting
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.source import Progress
from rnnpipe.sources.splits import Split
from rnnpipe.sources.tfds import Tfds

_PNG = b"\x89PNG"
_RESTVAL = "restval"
_PROGRESS_EVERY = 100


class TfdsCaptions(Tfds, CaptionSource):
    """A data set of TensorFlow Datasets whose examples have an image and captions.

    The examples are read through TensorFlow Datasets once, into COCO's format, the images as they
    are stored: the workers of a build then need no TensorFlow. Without `splits`, COCO's `restval`
    is part of `train`, as in Karpathy's splits.

    Example:
        >>> source = TfdsCaptions(name="coco_captions", number="image/id")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    image: str = setting("image", "the feature with the image")
    captions: str = setting("captions/text", "the feature with the captions, one text or several")
    number: str | None = setting(
        None, "the feature with the image's number, e.g. image/id; null: images are counted"
    )

    @property
    def fields(self) -> Mapping[str, str]:
        """The features of the fields."""
        features = {"image": self.image, "captions": self.captions}
        return features if self.number is None else {**features, "number": self.number}

    @cached_property
    def instructions(self) -> dict[Split, str]:
        """What of the data set becomes each split; the data set must be prepared."""
        found = super().instructions
        if self.splits is None and "train" in found and _RESTVAL in self._builder.info.splits:
            return {**found, "train": f"{found['train']}+{_RESTVAL}"}
        return found

    def decoders(self) -> Any:
        """None for the image, whose file is copied."""
        import tensorflow_datasets as tfds  # workers must not import TensorFlow

        decoders: Any = tfds.decode.SkipDecoding()
        for part in reversed(self.image.split("/")):
            decoders = {part: decoders}
        return decoders

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """An image as the bytes of its file, captions as a list of texts."""
        if field == "number":
            number = read_id(super().convert(field, feature, value))
            if number is None:
                expected, got = "a number or a name for each image", f"{value!r:.100}"
                fix = "name the feature with it as data.source.number, or none"
                raise UserError(f"tfds:{self.folder_name}", expected, got, fix)
            return number
        if field == "image":
            if not isinstance(value, bytes):
                expected, got = "an image", f"another value in {self.image}"
                fix = "name the feature with the image as data.source.image"
                raise UserError(f"tfds:{self.folder_name}", expected, got, fix)
            return value
        texts = [value] if isinstance(value, bytes) else list(value)
        return [text.decode(errors="surrogateescape") for text in texts]

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a folder of images and a file of captions for each split.

        An image whose number another one has is listed like that one and its captions are left out,
        so that it becomes a dead letter and the first one stays as it is.
        """
        total, done = self.count(), 0
        for split, instruction in self.instructions.items():
            (folder / split).mkdir()
            images: list[dict[str, Any]] = []
            annotations: list[dict[str, Any]] = []
            names: dict[int, str] = {}
            for example in self.examples(instruction):
                number = example.get("number", len(images) + 1)
                if number not in names:
                    names[number] = _write_image(folder / split, number, example["image"])
                    annotations += [{"image_id": number, "caption": c} for c in example["captions"]]
                images.append({"id": number, "file_name": names[number]})
                done += 1
                if done % _PROGRESS_EVERY == 0:
                    progress(done, total)
            annotations = [{"id": place, **given} for place, given in enumerate(annotations)]
            content = {"images": images, "annotations": annotations}
            path = folder / f"captions_{split}.json"
            path.write_text(json.dumps(content), encoding="utf-8")

    def open(self, folder: Path) -> CocoCaptions:
        """The reader of these files."""
        files = {
            split: CaptionFiles(annotations=Path(f"captions_{split}.json"), images=Path(split))
            for split in self.instructions
        }
        return CocoCaptions(path=folder, files=files)


def _write_image(folder: Path, number: int, data: bytes) -> str:
    name = f"{number:012d}.{'png' if data.startswith(_PNG) else 'jpg'}"
    (folder / name).write_bytes(data)
    return name
