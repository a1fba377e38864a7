"""Images → grids of features."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("rnnpipe")
class CoordinateChannels(layers.Layer):
    """Appends to every cell of a grid where it lies, so that attention can tell left from right.

    Adds two channels, the row and the column, both running from -1 to 1.

    Call arguments:
        grid: `(batch, height, width, channels)`.

    Returns:
        `(batch, height, width, channels + 2)`.

    Source: Liu et al. 2018, "An Intriguing Failing of Convolutional Neural Networks and the
    CoordConv Solution", section 3.
    """

    def call(self, grid: Any) -> Any:
        """The grid with its coordinates."""
        batch, height, width = ops.shape(grid)[:3]
        rows = ops.linspace(-1.0, 1.0, height, dtype=grid.dtype)[None, :, None, None]
        columns = ops.linspace(-1.0, 1.0, width, dtype=grid.dtype)[None, None, :, None]
        shape = (batch, height, width, 1)
        return ops.concatenate(
            [grid, ops.broadcast_to(rows, shape), ops.broadcast_to(columns, shape)], axis=-1
        )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The same grid with two channels more."""
        *grid, channels = input_shape
        return (*grid, None if channels is None else channels + 2)


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
            width, 3, strides=2, padding="same", use_bias=False, name=f"conv{stage}"
        )(grid)
        grid = layers.BatchNormalization(name=f"norm{stage}")(grid)
        grid = layers.ReLU(name=f"relu{stage}")(grid)
    grid = layers.SpatialDropout2D(dropout, name="grid_dropout")(grid)
    return keras.Model(image, CoordinateChannels(name="coordinates")(grid), name="image_encoder")
