"""Coordinates of the cells of a grid."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from rnnpipe.types import Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class CoordinateChannels(layers.Layer):
    """Appends its coordinates to every cell of a grid, so that attention can use positions.

    Adds two channels, the row and the column, both running from -1 to 1.

    Call arguments:
        grid: `(batch, height, width, channels)`.

    Returns:
        `(batch, height, width, channels + 2)`.

    Source: Liu et al. 2018, "An Intriguing Failing of Convolutional Neural Networks and the
    CoordConv Solution", section 3.
    """

    def call(self, grid: Tensor) -> Tensor:
        """The grid with its coordinates."""
        batch, height, width = ops.shape(grid)[:3]
        shape = (batch, height, width, 1)
        rows = ops.broadcast_to(self._axis(height)[None, :, None, None], shape)
        columns = ops.broadcast_to(self._axis(width)[None, None, :, None], shape)
        return ops.concatenate([grid, rows, columns], axis=-1)

    def _axis(self, length: Any) -> Tensor:
        """From -1 to 1 in `length` steps; a single one is -1."""
        steps = ops.cast(ops.arange(length, dtype="int32"), self.compute_dtype)
        return 2 * steps / ops.cast(ops.maximum(length - 1, 1), self.compute_dtype) - 1

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The same grid with two channels more."""
        *grid, channels = input_shape
        return (*grid, None if channels is None else channels + 2)
