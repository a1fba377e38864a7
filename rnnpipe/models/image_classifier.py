"""An image's class from a recurrent network that reads it in glimpses.

Mnih et al. 2014, arXiv:1406.6247; Ba, Mnih & Kavukcuoglu 2015, arXiv:1412.7755.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AttentionOptions, CoverageAttentionOptions
from rnnpipe.parts.cells import CellOptions, LSTMOptions
from rnnpipe.parts.image_encoders import CNNOptions, ImageEncoderOptions
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import keras


class GlimpseReaderOptions(Settings):
    """A recurrent network that attends to an image step by step."""

    cell: CellOptions = LSTMOptions(units=128)
    depth: int = setting(1, "cells on top of each other", ge=1)
    attention: AttentionOptions = CoverageAttentionOptions(units=64)
    steps: int = setting(6, "how often it attends", ge=1)

    def check(self) -> None:
        """The attention is over a grid, and what it finds is all that the cells read."""
        self.attention.check_reads_grids("attention")
        if self.cell.reads_context:
            expected = "a cell that reads one input"
            got = getattr(self.cell, "kind", type(self.cell).__name__)
            raise UserError("cell.kind", expected, got, "write another kind, e.g. lstm")


class ImageClassifierOptions(Settings):
    """An image encoder's grid, and a recurrent network that reads it in glimpses."""

    image_encoder: ImageEncoderOptions = CNNOptions()
    reader: GlimpseReaderOptions = GlimpseReaderOptions()
    dropout: float = fraction(help="of the features that the softmax reads, in training")

    def check(self) -> None:
        """Dot attention compares the reader's states with the grid as they are."""
        channels, units = self.image_encoder.grid_channels, self.reader.cell.output_size
        if self.reader.attention.needs_equal_features and channels not in (None, units):
            fix = f"write {channels}, or a reader.attention.kind that projects, e.g. general"
            expected = f"{channels} units, as many as the grid has channels, with dot attention"
            raise UserError("reader.cell", expected, str(units), fix)


def build_image_classifier(
    options: ImageClassifierOptions,
    *,
    image_shape: Sequence[int],
    classes: int,
    image_encoder: "keras.Model | None" = None,
    seed: int | None = None,
) -> "keras.Model":
    """A model that attends to an image again and again, and then classifies it.

        grid   = encoder(image)                          (batch, rows, columns, channels)
        h      = glimpses of grid                        (batch, steps, units)
        logits = W h_last + b

    Args:
        options: of its parts.
        image_shape: of an image, `(height, width, 3)`, or of its features `(rows, columns,
            channels)`.
        classes: how many there are.
        image_encoder: a Keras model in the place of that part, from images to a grid.
        seed: of hard attention's samples.

    Returns:
        A model from what the encoder takes to `{"logits": (batch, classes), "alignments": (batch,
        steps, rows, columns)}`; with hard attention the alignments are its samples, and their
        `probabilities`, of the same shape, are there too.

    Example:
        >>> model = build_image_classifier(
        ...     ImageClassifierOptions(), image_shape=(32, 32, 3), classes=5
        ... )
        >>> {name: value.shape for name, value in model.output.items()}
        {'logits': (None, 5), 'alignments': (None, 6, 4, 4)}
    """
    import keras

    from rnnpipe.layers import GlimpseReader
    from rnnpipe.models.outputs import first_glimpse, name_alignments

    reader = options.reader
    encoder = image_encoder or options.image_encoder.make(image_shape)
    image = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="image")
    cells = [reader.cell.make_cell() for _ in range(reader.depth)]
    layer = GlimpseReader(cells, reader.attention.make(seed=seed), reader.steps, name="reader")
    hidden, alignments = layer(encoder(image))
    logits = _classify(hidden[:, -1], classes, options.dropout)
    outputs = first_glimpse(name_alignments(alignments))
    return keras.Model(image, {"logits": logits, **outputs}, name="image_classifier")


def build_pooling_classifier(
    options: ImageClassifierOptions, *, image_shape: Sequence[int], classes: int
) -> "keras.Model":
    """A model that sees all of an image at once: what a reader in glimpses is compared with.

        logits = W₂ relu(W₁ mean(encoder(image)) + b₁) + b₂

    Args:
        options: of the model that it is compared with: its encoder, units and dropout.
        image_shape: of an image or of its features.
        classes: how many there are.

    Returns:
        A model from what the encoder takes to `{"logits": (batch, classes)}`.
    """
    import keras
    from keras import layers

    encoder = options.image_encoder.make(image_shape)
    image = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="image")
    pooled = layers.GlobalAveragePooling2D()(encoder(image))
    hidden = layers.Dense(options.reader.cell.units, activation="relu", name="hidden")(pooled)
    logits = _classify(hidden, classes, options.dropout)
    return keras.Model(image, {"logits": logits}, name="pooling_classifier")


def _classify(features: Any, classes: int, dropout: float) -> Any:
    from keras import layers

    features = layers.Dropout(dropout, name="dropout")(features)
    return layers.Dense(classes, dtype="float32", name="logits")(features)
