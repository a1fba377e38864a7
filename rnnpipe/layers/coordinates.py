"""Where the cells of a grid lie."""

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
