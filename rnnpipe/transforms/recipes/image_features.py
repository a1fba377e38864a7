"""Grids of features that a backbone makes of images, computed where records are written."""

import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError, located
from rnnpipe.parts.backbones import BackboneOptions, require_grid
from rnnpipe.quiet import import_keras
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.settings import Settings, setting

if TYPE_CHECKING:  # what reads a config needs no NumPy
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_SECTION = "data.features"
_MAX_HALF = 65504.0  # the greatest finite number of half precision
_LOADING = threading.Lock()
_loaded: list[tuple["FeatureOptions", Any]] = []  # the last network, one of a process


class FeatureOptions(Settings):
    """Features of images that are computed once, where records are written.

    They are picklable and light: the network is made where it is first called, once in each
    process. Images go through it in whole batches, filled up with black ones, so that it is
    compiled once. An image's features depend on its place in a batch in their last bits, about
    1e-7; records come in one order whatever the number of workers, and so their bytes stay the
    same.

    Example:
        >>> from rnnpipe.parts.backbones import ApplicationBackboneOptions
        >>> backbone = ApplicationBackboneOptions(
        ...     name="mobilenet_v2", weights="none", options={"alpha": 0.35})
        >>> features = FeatureOptions(backbone=backbone, image_size=64)
        >>> import numpy as np
        >>> images = np.zeros((3, 64, 64, 3), np.uint8)
        >>> grids = features(images)  # doctest: +SKIP
        >>> grids.shape  # doctest: +SKIP
        (3, 2, 2, 1280)
    """

    backbone: BackboneOptions
    image_size: int = setting(224, "height and width of the images, in pixels", ge=32)
    layer: str | None = setting(
        None, "the layer whose output is taken; null: the last before pooling"
    )
    cells: int | None = setting(
        None,
        "rows and columns that each grid is averaged to; null: the grids of images stay as they "
        "are, those of a video's frames become one cell",
        ge=1,
    )
    batch_size: int = setting(32, "images that a worker computes at once", ge=1)
    seed: int = setting(1, "of random weights", ge=0, le=2**32 - 1)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the features depend on, JSON values: files count by their content."""
        with located(_SECTION):
            backbone = self.backbone.fingerprint()
        return {
            "backbone": {"kind": getattr(self.backbone, "kind", ""), **backbone},
            "image_size": self.image_size,
            "layer": self.layer,
            "cells": self.cells,
            "batch_size": self.batch_size,
            "seed": self.seed,
            **_versions(),
        }

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels of a grid; this makes the network.

        Raises:
            UserError: there is no such network, layer or file, or they do not go together.
        """
        rows, columns, channels = (int(axis) for axis in _load(self).output.shape[1:])
        return self.cells or rows, self.cells or columns, channels

    def for_workers(self) -> "FeatureOptions":
        """The same in whatever folder a worker runs."""
        return make_paths_absolute(self)

    def __call__(self, images: "Array") -> "Array":
        """The features of images.

        Args:
            images: uint8 `(images, height, width, 3)`, red, green, blue.

        Returns:
            float32 `(images, rows, columns, channels)`, rounded to the half precision of records.
        """
        import numpy as np

        grids = [np.zeros((0, *self.shape), np.float32)]
        grids += [_pool(grid, self.cells, np) for grid in self._compute(images)]
        rounded = [np.clip(grid, -_MAX_HALF, _MAX_HALF).astype(np.float16) for grid in grids]
        return np.concatenate(rounded).astype(np.float32)

    def vectors(self, images: "Array") -> "Array":
        """The cells of each image's grid, one after the other; without `cells` their mean.

        Args:
            images: uint8 `(images, height, width, 3)`, red, green, blue.

        Returns:
            float32 `(images, cells * cells * channels)`.
        """
        import numpy as np

        cells = self.cells or 1
        size = cells * cells * self.shape[-1]
        # One batch of grids is in memory at a time.
        pooled = (_pool(grids, cells, np).reshape(-1, size) for grids in self._compute(images))
        return np.concatenate([np.zeros((0, size), np.float32), *pooled])

    def as_layer(self, *, flat: bool = False) -> "Callable[[Any], Any]":
        """The same function from tensors to tensors, which may become part of a graph.

        Images are not filled up to whole batches, which changes the last bits, about 1e-7.

        Args:
            flat: whether it returns `vectors`, and not grids.
        """
        model = _load(self)  # held by the function, whatever is loaded next

        def compute(images: Any) -> Any:
            from keras import ops

            pixels = self.backbone.prepare(ops.cast(images, "float32"))
            grids = ops.cast(model(pixels, training=False), "float32")
            if flat:
                pooled = _pool(grids, self.cells or 1, ops)
                return ops.reshape(pooled, (-1, math.prod(pooled.shape[1:])))
            grids = _pool(grids, self.cells, ops)
            rounded = ops.cast(ops.clip(grids, -_MAX_HALF, _MAX_HALF), "float16")
            return ops.cast(rounded, "float32")

        return compute

    def _compute(self, images: "Array") -> "Iterator[Array]":
        """The grids of each batch."""
        import numpy as np

        model = _load(self)
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            whole = np.zeros((self.batch_size, *batch.shape[1:]), np.float32)
            whole[: len(batch)] = batch
            output = model.predict_on_batch(self.backbone.prepare(whole))
            yield np.asarray(output, np.float32)[: len(batch)]


def _pool(grids: Any, cells: int | None, numpy: Any) -> Any:
    """Grids averaged to so many rows and columns, by the functions of NumPy or of Keras."""
    if cells is None:
        return grids
    rows, columns, channels = grids.shape[1:]
    split = (-1, cells, rows // cells, cells, columns // cells, channels)
    return numpy.mean(numpy.reshape(grids, split), axis=(2, 4))


def _load(features: FeatureOptions) -> Any:
    with _LOADING:  # a runner may have several threads
        if not _loaded or _loaded[0][0] != features:
            _loaded[:] = [(features, _make(features))]
        return _loaded[0][1]


def _make(features: FeatureOptions) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several workers may share a GPU
    keras = import_keras()  # a worker without features needs neither Keras nor its backend
    keras.utils.set_random_seed(features.seed)
    with located(_SECTION):
        features.backbone.check_files()
        model = features.backbone.make(features.image_size, features.layer)
        require_grid(model, features.layer)
        _check_cells(features.cells, *model.output.shape[1:3])
    return model


def _check_cells(cells: int | None, rows: int, columns: int) -> None:
    if cells and (rows % cells or columns % cells):
        fix = "write e.g. 1, or take another image_size or layer"
        raise UserError("cells", f"a divisor of {rows} rows and {columns} columns", str(cells), fix)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("keras", "tensorflow")}
