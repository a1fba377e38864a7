"""Images with captions of TensorFlow Datasets, e.g. coco_captions."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.sources.source import Progress
from rnnpipe.sources.text.tfds import Tfds

_PNG = b"\x89PNG"
_RESTVAL = "restval"
_PROGRESS_EVERY = 100


class TfdsCaptions(Tfds):
    """A data set of TensorFlow Datasets whose examples have an image and captions.

    The examples are read through TensorFlow Datasets once, into COCO's format, the images as they
    are stored: the workers of a build then need no TensorFlow.

    Args:
        path: where these files go.
        fields: the features that are `image` and `captions`, one text or several; `number`, an
            image's number, may lack, and images are counted then.
        name: the data set, see `Tfds`.
        data_dir: TensorFlow Datasets' folder.
        splits: what of the data set becomes each split, see `Tfds`; without it COCO's split
            `restval` is part of `train`, as in Karpathy's splits.

    Example:
        >>> fields = {"image": "image", "captions": "captions/text", "number": "image/id"}
        >>> source = TfdsCaptions("data/exported", fields, name="coco_captions")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind = "tfds"

    @cached_property
    def instructions(self) -> dict[str, str]:
        """What of the data set becomes each split; the data set must be prepared."""
        found = super().instructions
        if self._wanted is None and "train" in found and _RESTVAL in self._builder.info.splits:
            return {**found, "train": f"{found['train']}+{_RESTVAL}"}
        return found

    def decoders(self) -> Any:
        """None for the image, whose file is copied."""
        import tensorflow_datasets as tfds  # noqa: PLC0415  # workers must not import TensorFlow

        decoders: Any = tfds.decode.SkipDecoding()
        for part in reversed(self._fields["image"].split("/")):
            decoders = {part: decoders}
        return decoders

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """An image as the bytes of its file, captions as a list of texts."""
        del feature
        if field == "number":
            return int(value)
        if field == "image":
            if not isinstance(value, bytes):
                expected, got = "an image", f"another value in {self._fields['image']}"
                fix = "name the feature with the image as data.source.image"
                raise UserError(f"tfds:{self.folder_name}", expected, got, fix)
            return value
        texts = [value] if isinstance(value, bytes) else list(value)
        return [text.decode(errors="surrogateescape") for text in texts]

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a folder of images and a file of captions for each split.

        An image whose number another one has is listed without file or captions, so that it becomes
        a dead letter and the first one stays as it is.
        """
        total, done = self.count(), 0
        for split, instruction in self.instructions.items():
            (folder / split).mkdir()
            images: list[dict[str, Any]] = []
            annotations: list[dict[str, Any]] = []
            seen: set[int] = set()
            for example in self.examples(instruction):
                number = example.get("number", len(images) + 1)
                images.append({"id": number})
                if number not in seen:
                    seen.add(number)
                    name = _write_image(folder / split, number, example["image"])
                    images[-1]["file_name"] = name
                    annotations += [{"image_id": number, "caption": c} for c in example["captions"]]
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
            split: CaptionFiles(f"captions_{split}.json", split) for split in self.instructions
        }
        return CocoCaptions(folder, files)


def _write_image(folder: Path, number: int, data: bytes) -> str:
    name = f"{number:012d}.{'png' if data.startswith(_PNG) else 'jpg'}"
    (folder / name).write_bytes(data)
    return name
