"""Images → grids of features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
from keras import layers, ops

from rnnpipe.errors import UserError
from rnnpipe.layers import CoordinateChannels


def build_cnn(
    image_size: int,
    *,
    patch: int = 4,
    channels: Sequence[int] = (32, 64),
    dropout: float = 0.0,
    name: str = "image_encoder",
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
        name: of the model.

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
    return keras.Model(image, CoordinateChannels(name="coordinates")(grid), name=name)


def build_feature_encoder(
    shape: Sequence[int], *, units: int | None = None, dropout: float = 0.0
) -> keras.Model:
    """Grids that are features already, each cell projected.

        cell' = relu(W cell + b)

    Args:
        shape: of the features, `(rows, columns, channels)`.
        units: what each cell is projected to; None to take it as it is.
        dropout: share of the projected features dropped in training.

    Returns:
        A model from `(batch, rows, columns, channels)` to `(batch, rows, columns, units)`.

    Source: Rennie et al., Self-critical Sequence Training for Image Captioning, 2017, section 2.
    """
    features = grid = keras.Input(tuple(shape), dtype="float32")
    if units is not None:
        grid = layers.Dense(units, activation="relu", name="projection")(grid)
    grid = layers.Dropout(dropout, name="grid_dropout")(grid)
    return keras.Model(features, grid, name="image_encoder")


Backbone = Literal["resnet50", "resnet101", "mobilenet_v2", "efficientnet_b0"]

_BACKBONES = {
    "resnet50": (keras.applications.ResNet50, "caffe"),
    "resnet101": (keras.applications.ResNet101, "caffe"),
    "mobilenet_v2": (keras.applications.MobileNetV2, "tf"),
    "efficientnet_b0": (keras.applications.EfficientNetB0, "own"),
}
_CAFFE_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red


def build_backbone(
    image_size: int,
    network: Backbone = "resnet50",
    *,
    weights: str | Path | None = "imagenet",
    fine_tune: bool = False,
    dropout: float = 0.0,
    name: str = "image_encoder",
) -> keras.Model:
    """A network of `keras.applications` without its head, as it is or fine-tuned.

    Args:
        image_size: height and width of the images, in pixels.
        network: which network.
        weights: `"imagenet"`, which downloads them; a file that Keras saved; or None for random
            ones.
        fine_tune: whether it learns. Where it does not, its batch normalisation keeps the
            statistics that it came with.
        dropout: share of the grid's features dropped in training.
        name: of the model.

    Returns:
        A model from uint8 images `(batch, height, width, 3)` to `(batch, rows, columns, channels)`,
        where rows and columns are `image_size / 32`, rounded up.

    Raises:
        UserError: the images are too small, or the weights cannot be had or are another network's.
    """
    make, preparation = _BACKBONES[network]
    shape = (image_size, image_size, 3)
    try:
        backbone = make(include_top=False, weights=weights, input_shape=shape)
    except Exception as fault:  # whatever Keras says of files, downloads, sizes and the network
        told = f"weights: {weights or 'none'}, image size: {image_size}"
        expected, got = f"what {network} can be made of ({told})", " ".join(str(fault).split())
        fix = "mend weights or data.image.size; without network, name a file of weights"
        raise UserError("model.image_encoder", expected, got[:300], fix) from fault
    backbone.trainable = fine_tune
    image = keras.Input((image_size, image_size, 3), dtype="uint8")
    pixels = ops.cast(image, "float32")
    if preparation == "caffe":
        pixels = ops.flip(pixels, axis=-1) - ops.array(_CAFFE_MEANS)
    elif preparation == "tf":
        pixels = pixels / 127.5 - 1
    grid = layers.Dropout(dropout, name="grid_dropout")(backbone(pixels))
    return keras.Model(image, grid, name=name)


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
