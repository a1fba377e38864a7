"""Images → grids of features."""

from collections.abc import Sequence

import keras
from keras import layers

from rnnpipe.layers import CoordinateChannels


def build_cnn(
    image_size: int, channels: Sequence[int] = (32, 64, 128), *, dropout: float = 0.0
) -> keras.Model:
    """A small convolutional network, trained from scratch.

    Every stage is a 3x3 convolution of stride 2, batch normalisation and a ReLU: the grid has
    `image_size / 2 ** len(channels)` rows and columns. The cells' coordinates are appended.

    Args:
        image_size: height and width of the images, in pixels.
        channels: the channels of each stage.
        dropout: share of the grid's channels dropped in training.

    Returns:
        A model from uint8 images `(batch, height, width, 3)` to a grid
        `(batch, rows, columns, channels + 2)`.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8")
    grid = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for stage, width in enumerate(channels, start=1):
        grid = layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv{stage}",
        )(grid)
        grid = layers.BatchNormalization(momentum=0.9, name=f"norm{stage}")(grid)
        grid = layers.ReLU(name=f"relu{stage}")(grid)
    grid = layers.SpatialDropout2D(dropout, name="grid_dropout")(grid)
    return keras.Model(image, CoordinateChannels(name="coordinates")(grid), name="image_encoder")
