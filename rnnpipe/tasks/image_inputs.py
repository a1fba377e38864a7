"""What the encoder of images reads: of records, and of a user's own image."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.sources.images.decoding import (
    Photo,
    StoredJpeg,
    decode_image,
    decode_jpeg,
    decode_whole_image,
    to_bytes,
)
from rnnpipe.sources.images.fit import Fit
from rnnpipe.storage.endings import IMAGE_ENDINGS
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import (
    Arrays,
    Bound,
    Function,
    Graph,
    HasGraph,
    find_step_graphs,
)
from rnnpipe.transforms.recipes.image_features import FeatureOptions
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


def image_input() -> Input:
    """The input `image` of a task."""
    return Input(
        "image",
        "an image file",
        metavar="FILE",
        accepts=(bytes, np.ndarray),
        endings=IMAGE_ENDINGS,
    )


def encode_photo(photo: Photo, data: ImageRecordOptions) -> Pixels:
    """The pixels that the network reads of an image, those of its record to the last bit.

    Args:
        photo: a file, its bytes, pixels, or what a record stores of it.
        data: how the records are made.

    Returns:
        uint8 `(height, width, 3)`: the stored image; with features what their backbone reads.

    Raises:
        UserError: the image cannot be read.
    """
    with _readable(photo):
        if isinstance(photo, StoredJpeg) and data.features is None:
            return decode_jpeg(photo)
        values = data.store_image(to_bytes(photo)).values
        if data.features is None:
            return decode_jpeg(values["image_jpeg"])
        pixels: Pixels = values["image_features"]  # that a worker computes the features of
        return pixels


def make_up_pixels(random: np.random.Generator, data: ImageRecordOptions) -> Pixels:
    """Noise as `encode_photo` gives an image.

    Args:
        random: where it comes from.
        data: how the records are made.
    """
    size = data.image.size if data.features is None else data.features.image_size
    return random.integers(0, 256, (size, size, 3), dtype=np.uint8)


def read_photo(photo: Photo, data: ImageRecordOptions) -> Pixels:
    """The pixels of an image as its record stores them, with features too, `(size, size, 3)`.

    Raises:
        UserError: the image cannot be read.
    """
    with _readable(photo):
        return decode_jpeg(data.store_image(to_bytes(photo)).values["image_jpeg"])


def with_features(
    function: Function,
    features: FeatureOptions | None,
    name: str = "image",
    *,
    flat: bool = False,
) -> Function:
    """A function of a network that reads pixels in the place of features.

    Args:
        function: reads features.
        features: those that it reads; None: the function reads pixels already.
        name: of the function's input.
        flat: whether it reads the cells of each grid as one vector.
    """
    if features is None:
        return function
    kind = _GraphOfFeatures if isinstance(function, HasGraph) else _OfFeatures
    return kind(function, features, name, flat=flat)


class _OfFeatures:
    """A function that reads features, for pixels; see `with_features`."""

    def __init__(
        self, function: Function, features: FeatureOptions, name: str, *, flat: bool
    ) -> None:
        self._function: Any = function  # with a graph, or without
        self._features, self._name = features, name
        self._flat = flat

    def __call__(self, arrays: Arrays, **options: Any) -> Arrays:
        compute = self._features.vectors if self._flat else self._features
        outputs: Arrays = self._function(
            {**arrays, self._name: compute(arrays[self._name])}, **options
        )
        return outputs


class _GraphOfFeatures(_OfFeatures):
    """The same of a graph, of which the backbone becomes a part."""

    def graph(self) -> Graph:
        """The backbone, and what reads its features."""
        return self._read_pixels(self._function.graph())

    def step_graphs(self, bounds: Mapping[str, Bound]) -> Mapping[str, Graph]:
        """Those of a search, of which `encode` reads pixels."""
        graphs = find_step_graphs(self._function, bounds)
        return {**graphs, "encode": self._read_pixels(graphs["encode"])} if graphs else {}

    def _read_pixels(self, graph: Graph) -> Graph:
        import tensorflow as tf

        name, rows = self._name, graph.inputs[self._name].shape[0]
        compute = self._features.as_layer(flat=self._flat)

        def call(tensors: Mapping[str, Any]) -> Mapping[str, Any]:
            return graph.function({**tensors, name: compute(tensors[name])})

        size = self._features.image_size
        pixels = tf.TensorSpec((rows, size, size, 3), tf.uint8)
        return replace(graph, function=call, inputs={**graph.inputs, name: pixels})


def show_photo(photo: Photo, fit: Fit) -> Pixels:
    """The same image for display under a heatmap.

    What is only stretched to a square has its own proportions again, as a place in the square is
    the same fraction of its width and height; else it is the square that the model sees, larger.

    Args:
        photo: a file, its bytes, or pixels.
        fit: how it became square for the model.

    Returns:
        uint8, `(height, width, 3)`.

    Raises:
        UserError: the image cannot be read.
    """
    with _readable(photo):
        data = to_bytes(photo)
        shown = (
            decode_whole_image(data, _SHOWN)
            if fit == "stretch"
            else decode_image(data, _SHOWN, fit)
        )
        return np.asarray(shown)


@contextmanager
def _readable(photo: Photo) -> Iterator[None]:
    try:
        yield
    except BadRecord as bad:
        where = f"--image {photo}" if isinstance(photo, str | Path) else "--image"
        fix = "name another file"
        raise UserError(where, "an image that can be read", bad.reason, fix) from bad
