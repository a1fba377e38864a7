"""Karpathy's splits of COCO, Flickr8k and Flickr30k, which most papers on captions use."""

from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.sources.captions.image_splits import ImageSplits
from rnnpipe.sources.folder import InFolder, describe_json, read_json
from rnnpipe.sources.ids import read_id

_SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}


class KarpathySplits(InFolder):
    """A mixin of sources: the setting `karpathy` may name a file of splits, relative to `path`."""

    karpathy: Path | None

    @property
    def _karpathy(self) -> Path | None:
        return None if self.karpathy is None else self._folder / self.karpathy

    def __getstate__(self) -> dict[str, Any]:
        """Each worker reads the property `_splits` again: it is long, and travels badly."""
        return {key: value for key, value in vars(self).items() if key != "_splits"}


def read_karpathy(path: Path, key: str = "cocoid") -> ImageSplits:
    """The split of each image; `restval` images belong to the split `train`.

    Args:
        path: `dataset_coco.json`, `dataset_flickr8k.json` or `dataset_flickr30k.json`.
        key: what identifies images: `cocoid`, their numbers in COCO, or `filename`.

    Raises:
        UserError: the file is not in that format, or has nothing to train on.

    Source:
        Karpathy & Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions"
        (2015).
    """
    content = read_json(path)
    images = content.get("images") if isinstance(content, dict) else None
    pairs = (
        (image, _SPLITS[entry["split"]])
        for entry in (images if isinstance(images, list) else ())
        if isinstance(entry, dict)
        and (image := _image_of(entry, key)) is not None
        and str(entry.get("split")) in _SPLITS
    )
    splits = ImageSplits(pairs, "the Karpathy splits do not have this image")
    if "train" not in splits.names:
        expected = f"Karpathy's splits: 'images' with a '{key}' and a 'split', some of them 'train'"
        got = f"{len(splits)} such images, none to train on" if len(splits) else "none"
        if not isinstance(images, list):
            got = describe_json(content)
        name = "dataset_coco.json" if key == "cocoid" else "dataset_flickr8k.json or the like"
        raise UserError(str(path), expected, got, f"name {name} of his caption_datasets.zip")
    return splits


def _image_of(entry: dict[str, Any], key: str) -> int | str | None:
    value = entry.get(key)
    if key == "cocoid":
        return read_id(value)
    return value if isinstance(value, str) else None
