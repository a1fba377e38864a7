"""Single frames of videos → vectors."""

from collections.abc import Sequence

import keras
from keras import layers

from rnnpipe.models.image_encoders import build_cnn

NAME = "frame_encoder"
"""What every encoder is called, so that it is found in a model."""


def build_frame_encoder(
    image_size: int,
    *,
    patch: int = 4,
    channels: Sequence[int] = (16, 32),
    dropout: float = 0.0,
    features: int = 64,
    feature_dropout: float = 0.0,
) -> keras.Model:
    """A small convolutional network, and a vector in which it counts where something is.

        x = relu(W CNN(frame) + b)

    Args:
        image_size: height and width of the frames, in pixels.
        patch: patch size of the CNN, in pixels, see `build_cnn`.
        channels: channels of its stages.
        dropout: share of its channels dropped in training.
        features: size of the vector.
        feature_dropout: share of its numbers dropped in training.

    Returns:
        A model from uint8 frames `(frames, height, width, 3)` to `(frames, features)`.
    """
    frame = keras.Input((image_size, image_size, 3), dtype="uint8")
    grid = build_cnn(image_size, patch=patch, channels=channels, dropout=dropout)(frame)
    vector = _project(layers.Flatten()(grid), features, feature_dropout)
    return keras.Model(frame, vector, name=NAME)


def build_feature_frame_encoder(
    channels: int, *, features: int = 64, dropout: float = 0.0
) -> keras.Model:
    """Frames that are features of a backbone already, projected.

        x = relu(W frame + b)

    Args:
        channels: numbers of a frame.
        features: size of the vector.
        dropout: share of its numbers dropped in training.

    Returns:
        A model from float32 frames `(frames, channels)` to `(frames, features)`.
    """
    frame = keras.Input((channels,), dtype="float32")
    return keras.Model(frame, _project(frame, features, dropout), name=NAME)


def _project(vector: keras.KerasTensor, features: int, dropout: float) -> keras.KerasTensor:
    vector = layers.Dense(features, activation="relu", name="features")(vector)
    return layers.Dropout(dropout, name="feature_dropout")(vector)
