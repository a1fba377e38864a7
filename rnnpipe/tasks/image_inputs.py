"""What the encoder of images reads: of records, and of a user's own image."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.sources.images.decoding import read_image, read_whole_image
from rnnpipe.sources.images.fit import Fit
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_SHOWN = 480  # the longer side of a photo that attention is drawn over, in pixels


def image_field(data: ImageRecordOptions) -> str:
    """The field of a record that the image encoder reads: pixels, or features."""
    return "image_jpeg" if data.features is None else "image_features"


def image_shape(data: ImageRecordOptions, records: RecordsDirectory) -> tuple[int, ...]:
    """The shape of what the image encoder reads: `(height, width, 3)`, or that of the features.

    Args:
        data: how the records are made.
        records: the records.
    """
    if data.features is None:
        return data.image.size, data.image.size, 3
    first = next(iter(records.read("train", [image_field(data)])))
    return tuple(first[image_field(data)].shape)


def read_encoder_input(path: str, data: ImageRecordOptions) -> np.ndarray[Any, Any]:
    """What the image encoder reads of an image file, `(1, ...)`.

    Args:
        path: the image file.
        data: how the records are made.

    Raises:
        UserError: the file cannot be read, or the backbone of its features cannot be made.
    """
    if data.features is None:
        return read_photo(path, data)[None]
    with _readable(path):
        pixels = data.read_image(path).values[
            "image_features"
        ]  # those that a worker computes them of
    return data.features(pixels[None])


def read_photo(path: str, data: ImageRecordOptions) -> Pixels:
    """The pixels of an image as the model would read them of its record: stored and decoded again.

    Args:
        path: the image file.
        data: how the records are made.

    Returns:
        uint8, `(size, size, 3)`.

    Raises:
        UserError: the file cannot be read.
    """
    with _readable(path):
        return decode_pixels(data.read_image(path).values["image_jpeg"])


def decode_pixels(jpeg: bytes) -> Pixels:
    """The pixels of a record's image as the model reads them, uint8 `(height, width, 3)`."""
    from rnnpipe.inputs.parsing import decode_jpeg  # brings in TensorFlow

    return np.asarray(decode_jpeg(jpeg))


def show_photo(path: str, fit: Fit) -> Pixels:
    """The same image for display under a heatmap.

    What is only stretched to a square has its own proportions again, as a place in the square is
    the same fraction of its width and height; else it is the square that the model sees, larger.

    Args:
        path: the image file.
        fit: how it became square for the model.

    Returns:
        uint8, `(height, width, 3)`.

    Raises:
        UserError: the file cannot be read.
    """
    if fit != "stretch":
        with _readable(path):
            return np.asarray(read_image(path, _SHOWN, fit))
    with _readable(path):
        return np.asarray(read_whole_image(path, _SHOWN))


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except BadRecord as bad:
        raise UserError(
            f"--image {path}", "an image that can be read", bad.reason, "name another file"
        ) from bad
