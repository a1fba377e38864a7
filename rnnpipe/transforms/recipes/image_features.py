"""Grids of features that a backbone makes of images, computed where records are written."""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.quiet import quiet_import

Array = np.ndarray[Any, np.dtype[Any]]

_WHERE = "data.features"
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Features:
    """What makes a grid of features of each image: a network of `keras.applications`.

    It is picklable and light: the network is made where it is first called, once in each process.
    Images go through it in whole batches, filled up with black ones, so that it is compiled once.
    An image's features depend on its place in a batch in their last bits, about 1e-7; records come
    in one order whatever the number of workers, and so their bytes stay the same.

    Args:
        backbone: the network's name in `keras.applications`, e.g. `ResNet101` or `mobilenet_v2`.
        weights: `imagenet`, which Keras downloads; a file of weights without the network's head; or
            `none`: drawn at random.
        image_size: height and width of the images, in pixels.
        layer: the layer whose output is taken; None: the last one before pooling.
        options: other arguments of the network, e.g. `(("alpha", 0.25),)`.
        batch_size: images that are computed at once.
        seed: of random weights.

    Example:
        >>> features = Features("mobilenet_v2", "none", image_size=64, options=(("alpha", 0.35),))
        >>> images = np.zeros((3, 64, 64, 3), np.uint8)
        >>> grids = features(images)  # doctest: +SKIP
        >>> grids.shape  # doctest: +SKIP
        (3, 2, 2, 1280)
    """

    backbone: str
    weights: str = "imagenet"
    image_size: int = 224
    layer: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    batch_size: int = 32
    seed: int = 1

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the features depend on, JSON values: weights in a file count by their content."""
        weights = _hash_file(Path(self.weights)) if self.has_file else self.weights
        return {**asdict(self), "options": dict(self.options), "weights": weights, **_versions()}

    @property
    def has_file(self) -> bool:
        """Whether its weights come from a file."""
        return self.weights not in ("imagenet", "none")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels of a grid; this makes the network.

        Raises:
            UserError: there is no such network, layer or file, or they do not go together.
        """
        rows, columns, channels = (int(axis) for axis in _load(self).output.shape[1:])
        return rows, columns, channels

    def __call__(self, images: Array) -> Array:
        """The features of images.

        Args:
            images: uint8 `(images, height, width, 3)`, red, green, blue.

        Returns:
            float32 `(images, rows, columns, channels)`.
        """
        return np.concatenate([np.zeros((0, *self.shape), np.float32), *self._compute(images)])

    def average(self, images: Array) -> Array:
        """The mean of each image's grid over its cells; one batch of grids is in memory at a time.

        Args:
            images: uint8 `(images, height, width, 3)`, red, green, blue.

        Returns:
            float32 `(images, channels)`.
        """
        means = (grids.mean(axis=(1, 2)) for grids in self._compute(images))
        return np.concatenate([np.zeros((0, self.shape[-1]), np.float32), *means])

    def _compute(self, images: Array) -> Iterator[Array]:
        """The grids of each batch."""
        model, prepare = _load(self), _prepare(self.backbone)
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            whole = np.zeros((self.batch_size, *batch.shape[1:]), np.float32)
            whole[: len(batch)] = batch
            output = model.predict_on_batch(prepare(whole))
            yield np.asarray(output, np.float32)[: len(batch)]


@lru_cache(maxsize=1)
def _load_once(features: Features) -> Any:
    if features.has_file:
        _hash_file(Path(features.weights))  # is it there?
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several workers may share a GPU
    with quiet_import():
        import keras  # a worker without features needs neither Keras nor its backend

    make = _find(features.backbone)
    if features.weights == "none":
        keras.utils.set_random_seed(features.seed)
    weights = None if features.weights == "none" else features.weights
    side = features.image_size
    try:
        model = make(
            include_top=False,
            weights=weights,
            input_shape=(side, side, 3),
            **dict(features.options),
        )
        if features.layer is not None:
            model = keras.Model(model.input, model.get_layer(features.layer).output)
    except Exception as fault:  # whatever Keras says of names, files, sizes and the network
        got = " ".join(str(fault).split())
        expected = f"what {features.backbone} can be made of ({_describe_options(features)})"
        fix = (
            "correct weights, image_size, layer or options; without network, name a file of weights"
        )
        raise UserError(_WHERE, expected, got[:300], fix) from fault
    if len(model.output.shape) != 4:
        got = f"{model.output.shape[1:]} of the layer {features.layer}"
        raise UserError(_WHERE, "a grid (rows, columns, channels)", got, "name another layer")
    return model


def _load(features: Features) -> Any:
    with _LOADING:  # a runner may have several threads
        return _load_once(features)


def _find(backbone: str) -> Any:
    """The network's function, by its name or that of its module."""
    import keras

    known = {
        name.lower(): make
        for name, make in vars(keras.applications).items()
        if callable(make) and not name.startswith("_")
    }
    try:
        return known[backbone.replace("_", "").lower()]
    except KeyError:
        expected = "a network of keras.applications, e.g. ResNet101 or MobileNetV2"
        fix = "see https://keras.io/api/applications for their names"
        raise UserError(f"{_WHERE}.backbone", expected, backbone, fix) from None


def _prepare(backbone: str) -> Any:
    """What the network's authors did to pixels."""
    return import_module(_find(backbone).__module__).preprocess_input


def _describe_options(features: Features) -> str:
    options = "".join(f", {name}: {value}" for name, value in features.options)
    layer = f", layer: {features.layer}" if features.layer else ""
    return f"weights: {features.weights}, image_size: {features.image_size}{layer}{options}"


@lru_cache(maxsize=4)
def _hash_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        got = fault.strerror or str(fault)
        fix = "name a file of weights, imagenet or none"
        raise UserError(f"{_WHERE}.weights", f"a file {path}", got, fix) from fault


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("keras", "tensorflow")}
