"""The images that records store beside features, as networks read them: pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from rnnpipe.parts.image_encoders import ImageEncoderOptions
from rnnpipe.tasks.base import Task

if TYPE_CHECKING:
    import tensorflow as tf

AnyTask = TypeVar("AnyTask", bound=Task[Any])

PIXELS = ImageEncoderOptions(kind="pixels")
"""In the place of an encoder that reads features; no model is made of it."""


def read_pixels(
    task: AnyTask, read: Callable[[AnyTask], tf.data.Dataset], model: Any, name: str = "image"
) -> tf.data.Dataset:
    """Batches of what the network of a task of images reads; of features, which it makes, pixels.

    Records of features store images as people look at them. A backbone has read the files that they
    were made of, so that its features of these pixels are a little others.

    Args:
        task: whose config may have `data.features`.
        read: makes the batches that its model reads, of pixels `(batch, height, width, 3)` uint8
            alone or by name.
        model: the options of its model with `PIXELS` as the encoder.
        name: of the pixels.
    """
    features = task.config.data.features
    if features is None:
        return read(task)
    config = replace(task.config, data=replace(task.config.data, features=None), model=model)
    return _resize(read(type(task)(config)), name, features.image_size)


def _resize(batches: tf.data.Dataset, name: str, size: int) -> tf.data.Dataset:
    import tensorflow as tf

    def resize(pixels: tf.Tensor) -> tf.Tensor:
        resized = tf.image.resize(pixels, (size, size), antialias=True)
        return tf.cast(tf.round(resized), tf.uint8)

    def resize_batch(batch: Any) -> Any:
        if isinstance(batch, Mapping):
            return {**batch, name: resize(batch[name])}
        return resize(batch)

    return batches.map(resize_batch)
