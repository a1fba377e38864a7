"""Images classified by a recurrent net that reads them in glimpses, or by a CNN, as a whole.

Mnih et al. 2014, arXiv:1406.6247; Ba, Mnih & Kavukcuoglu 2015, arXiv:1412.7755; hard attention
over a grid: Xu et al. 2015, arXiv:1502.03044.
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers

from rnnpipe.layers import (
    AdditiveAttention,
    CoverageAttention,
    GlimpseReader,
    GRUCell,
    HardAttention,
    LSTMCell,
)
from rnnpipe.models.image_encoders import build_cnn

Recurrence = Literal["gru", "lstm"]
Attention = Literal["additive", "coverage"]

_CELLS = {"gru": GRUCell, "lstm": LSTMCell}
_MECHANISMS = {"additive": AdditiveAttention, "coverage": CoverageAttention}


def build_glimpse_classifier(
    *,
    image_size: int,
    classes: int,
    patch: int = 4,
    channels: Sequence[int] = (32, 64),
    image_dropout: float = 0.0,
    recurrence: Recurrence = "lstm",
    units: int = 128,
    glimpses: int = 6,
    attention: Attention = "additive",
    attention_units: int = 64,
    hard: bool = False,
    expected_share: float = 0.5,
    dropout: float = 0.0,
    seed: int | None = None,
) -> keras.Model:
    """A model that looks at an image again and again, and then says its class.

        grid   = CNN(image)                              (batch, rows, columns, channels)
        h      = glimpses of grid                        (batch, glimpses, units)
        logits = W h_last + b

    Args:
        image_size: height and width of the images, in pixels.
        classes: how many there are.
        patch: patch size of the image encoder, in pixels, see `build_cnn`.
        channels: channels of its stages.
        image_dropout: share of the grid's channels dropped in training.
        recurrence: which cell reads.
        units: of the cell.
        glimpses: how often the grid is attended to.
        attention: `coverage` knows where it has looked, `additive` does not.
        attention_units: units in which state and grid are compared.
        hard: whether a look is at one cell of the grid, or a mean of all.
        expected_share: of hard attention, see `HardAttention`.
        dropout: share of the last state's features dropped in training.
        seed: of hard attention's samples.

    Returns:
        A model from uint8 images `(batch, height, width, channels)` to `{"logits": (batch,
        classes), "alignments": (batch, glimpses, rows, columns)}`; with hard attention the
        alignments are its samples, and there are their `probabilities`, of the same shape.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8", name="image")
    mechanism: Any = _MECHANISMS[attention](attention_units)
    if hard:
        mechanism = HardAttention(mechanism, expected_share=expected_share, seed=seed)
    reader = GlimpseReader(_CELLS[recurrence](units), mechanism, glimpses, name="reader")
    encoder = build_cnn(image_size, patch=patch, channels=channels, dropout=image_dropout)
    outputs, alignments = reader(encoder(image))
    found = {"alignments": alignments}
    if hard:
        found = {
            "alignments": alignments["samples"],
            "probabilities": alignments["probabilities"],
        }
    return keras.Model(
        image,
        {
            "logits": _classify(outputs[:, -1], classes, dropout),
            **{name: each[:, :, 0] for name, each in found.items()},  # of one glimpse a look
        },
        name="glimpse_classifier",
    )


def build_cnn_classifier(
    *,
    image_size: int,
    classes: int,
    patch: int = 4,
    channels: Sequence[int] = (32, 64),
    image_dropout: float = 0.0,
    units: int = 128,
    dropout: float = 0.0,
) -> keras.Model:
    """A model that sees all of an image at once: what a reader in glimpses is compared with.

        logits = W₂ relu(W₁ mean(CNN(image)) + b₁) + b₂

    Args:
        image_size: height and width of the images, in pixels.
        classes: how many there are.
        patch: patch size of the image encoder, in pixels, see `build_cnn`.
        channels: channels of its stages.
        image_dropout: share of the grid's channels dropped in training.
        units: of the hidden layer.
        dropout: share of its features dropped in training.

    Returns:
        A model from uint8 images `(batch, height, width, channels)` to `{"logits": (batch,
        classes)}`.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8", name="image")
    grid = build_cnn(image_size, patch=patch, channels=channels, dropout=image_dropout)(image)
    hidden = layers.Dense(units, activation="relu", name="hidden")(
        layers.GlobalAveragePooling2D()(grid)
    )
    logits = _classify(hidden, classes, dropout)
    return keras.Model(image, {"logits": logits}, name="cnn_classifier")


def _classify(features: Any, classes: int, dropout: float) -> Any:
    features = layers.Dropout(dropout, name="dropout")(features)
    return layers.Dense(classes, dtype="float32", name="logits")(features)
