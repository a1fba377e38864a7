"""Images → grids of features."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from rnnpipe.layers import CoordinateChannels


def build_cnn(
    image_size: int,
    *,
    patch: int = 4,
    channels: Sequence[int] = (32, 64),
    dropout: float = 0.0,
) -> keras.Model:
    """A small convolutional network, trained from scratch.

    The first stage looks at patches that do not overlap, every further one halves the grid, and a
    last one, as wide as the one before it, keeps its size. A stage is a convolution, batch
    normalisation and a ReLU. The cells' coordinates are appended.

    Args:
        image_size: height and width of the images, in pixels.
        patch: height and width of the patches, in pixels.
        channels: the channels of each stage but the last.
        dropout: share of the grid's channels dropped in training.

    Returns:
        A model from uint8 images `(batch, height, width, 3)` to a grid
        `(batch, rows, columns, channels + 2)`, where rows and columns are
        `image_size / patch / 2 ** (len(channels) - 1)`, rounded up.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8")
    grid = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    grid = _convolve(grid, channels[0], size=patch, stride=patch)
    for width in channels[1:]:
        grid = _convolve(grid, width, size=3, stride=2)
    grid = _convolve(grid, channels[-1], size=3, stride=1)
    grid = layers.SpatialDropout2D(dropout, name="grid_dropout")(grid)
    return keras.Model(image, CoordinateChannels(name="coordinates")(grid), name="image_encoder")


def _convolve(grid: Any, channels: int, *, size: int, stride: int) -> Any:
    grid = layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(grid)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(grid))
