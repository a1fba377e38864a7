"""Captions that need no model: what a score is worth is seen beside theirs."""

import random
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import Any

import numpy as np
from PIL import Image

from rnnpipe.records.directory import RecordsDirectory

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]

_LEARNT_FROM = 4000  # training images that are compared with, at most
_BINS = 8  # of each colour
_SIZE = 64  # the side that images are scaled down to before their colours are counted


def find_baselines(records: RecordsDirectory, colours: Sequence[Array]) -> dict[str, list[str]]:
    """The captions of three baselines, by name.

    These are the most frequent caption of the training split; a caption of the training
    image with the most similar colours; and one of any training image. The latter two know only the
    first 4,000 training images in the records' order, which is that of a hash.

    Args:
        records: the records.
        colours: `count_colours` of each image to caption.
    """
    rng = random.Random(0)
    training = [
        (count_colours(row["image_jpeg"]), row["captions"])
        for row in islice(records.read("train", ["image_jpeg", "captions"]), _LEARNT_FROM)
    ]
    known = np.stack([counts for counts, _ in training])
    nearest = [int(np.abs(known - counts).sum(axis=1).argmin()) for counts in colours]
    return {
        "most_frequent": [records.stats["most_frequent_caption"]] * len(colours),
        "nearest_colours": [rng.choice(training[place][1]) for place in nearest],
        "random": [rng.choice(rng.choice(training)[1]) for _ in colours],
    }


def count_colours(jpeg: bytes) -> Array:
    """The shares of an image's colours, `(512,)`: eight steps each of red, green and blue.

    Example:
        >>> file = BytesIO()
        >>> Image.new("RGB", (8, 8), (255, 0, 0)).save(file, "JPEG")
        >>> int(count_colours(file.getvalue()).argmax()) == 7 * 64
        True
    """
    image = Image.open(BytesIO(jpeg))
    image.draft("RGB", (_SIZE, _SIZE))  # before anything decodes it: at its own size that is slow
    small = image.convert("RGB").resize((_SIZE, _SIZE))
    pixels = np.asarray(small, "int64") * _BINS // 256
    places = (pixels @ [_BINS * _BINS, _BINS, 1]).ravel()
    return np.bincount(places, minlength=_BINS**3) / places.size


def without_images(records: RecordsDirectory, split: str) -> Iterator[tuple[Row, Array]]:
    """The records of a split without what is large, each with its image's colours."""
    for row in records.read(split, ["image_id", "captions", "scene", "image_jpeg"]):
        yield row, count_colours(row.pop("image_jpeg"))
