"""Encoders of images: pixels, or features that the records hold, as a grid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.parts.backbones import ApplicationBackboneOptions, BackboneOptions, require_grid
from rnnpipe.settings import Kinds, Positive, Settings, fraction, setting

if TYPE_CHECKING:
    import keras

_HERE = "rnnpipe.parts.image_encoders"


class ImageEncoderOptions(Settings):
    """What makes a grid of features of each image.

    A subclass has a `kind` and makes a Keras model. Other packages add kinds by the entry point
    group `rnnpipe.image_encoders`.
    """

    kinds = Kinds(
        "rnnpipe.image_encoders",
        {
            "cnn": f"{_HERE}:CNNOptions",
            "backbone": f"{_HERE}:BackboneEncoderOptions",
            "features": f"{_HERE}:FeatureEncoderOptions",
        },
    )
    kind: str
    reads_features: ClassVar[bool] = False
    """Whether it reads stored features, not pixels."""

    @property
    def grid_channels(self) -> int | None:
        """The channels of its grid; None: they depend on the network or on the stored features."""
        return None

    def check_files(self) -> None:
        """Looks for the files that it needs, before work that takes hours.

        Raises:
            UserError: one is missing.
        """

    def make(self, shape: Sequence[int], *, name: str = "image_encoder") -> "keras.Model":
        """The encoder.

        Args:
            shape: of an image, `(height, width, 3)`, or of its features, `(rows, columns,
                channels)`.
            name: of the model.

        Returns:
            A model from uint8 images or float32 features to grids `(batch, rows, columns,
            channels)`.
        """
        raise NotImplementedError


class CNNOptions(ImageEncoderOptions):
    """A small convolutional network, trained from scratch."""

    kind: Literal["cnn"] = "cnn"
    patch: int = setting(4, "height and width of the first stage's patches, in pixels", ge=1)
    channels: tuple[Positive, ...] = setting(
        (32, 64), "of every stage; each but the first halves the grid", min_length=1
    )
    dropout: float = fraction(help="of the grid's channels, in training")

    @property
    def grid_channels(self) -> int:
        """Those of the last stage, and two coordinates."""
        return self.channels[-1] + 2

    def make(self, shape: Sequence[int], *, name: str = "image_encoder") -> "keras.Model":
        """The network.

        The first stage looks at patches that do not overlap, every further one halves the grid, and
        a last one, as wide as the one before it, keeps its size. A stage is a convolution, batch
        normalisation and a ReLU. The cells' coordinates are appended: a grid has `height / patch /
        2 ** (len(channels) - 1)` rows, rounded up, and `channels + 2` channels.
        """
        import keras

        from rnnpipe.layers import CoordinateChannels

        image = keras.Input(tuple(shape), dtype="uint8")
        grid = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image)
        grid = _convolve(grid, self.channels[0], size=self.patch, stride=self.patch)
        for width in self.channels[1:]:
            grid = _convolve(grid, width, size=3, stride=2)
        grid = _convolve(grid, self.channels[-1], size=3, stride=1)
        grid = keras.layers.SpatialDropout2D(self.dropout, name="grid_dropout")(grid)
        return keras.Model(image, CoordinateChannels(name="coordinates")(grid), name=name)


class BackboneEncoderOptions(ImageEncoderOptions):
    """A network that has been trained on other images, as it is or fine-tuned.

    Its batch normalisation is not fine-tuned: it keeps the mean and the variance of the images that
    it was trained on, which small batches would spoil, and its scale and offset.
    """

    kind: Literal["backbone"] = "backbone"
    backbone: BackboneOptions = ApplicationBackboneOptions(name="ResNet50")
    layer: str | None = setting(
        None, "the layer whose output is taken; null: the last before pooling"
    )
    fine_tune: bool = setting(False, "whether it is trained along; if not, it stays as it is")
    dropout: float = fraction(help="of the grid's features, in training")

    def check_files(self) -> None:
        """Looks for the backbone's files."""
        self.backbone.check_files()

    def make(self, shape: Sequence[int], *, name: str = "image_encoder") -> "keras.Model":
        """The network between the preparation of pixels and dropout."""
        import keras

        backbone = self.backbone.make(shape[0], self.layer)
        require_grid(backbone, self.layer)
        backbone.trainable = self.fine_tune
        _freeze_normalisation(backbone)
        image = keras.Input(tuple(shape), dtype="uint8")
        pixels = self.backbone.prepare(keras.ops.cast(image, "float32"))
        grid = keras.layers.Dropout(self.dropout, name="grid_dropout")(backbone(pixels))
        return keras.Model(image, grid, name=name)


class FeatureEncoderOptions(ImageEncoderOptions):
    """Features that the records hold, each cell projected (Rennie et al. 2017, section 2).

    cell' = relu(W norm(cell) + b)
    """

    kind: Literal["features"] = "features"
    reads_features = True
    normalize: bool = setting(
        False, "whether each feature is batch-normalised first, where they differ much in size"
    )
    units: int | None = setting(512, "what each cell is projected to; null: none", ge=1)
    dropout: float = fraction(help="of the projected features, in training")

    @property
    def grid_channels(self) -> int | None:
        """The units; None: those of the stored features."""
        return self.units

    def make(self, shape: Sequence[int], *, name: str = "image_encoder") -> "keras.Model":
        """The projection."""
        import keras

        features = grid = keras.Input(tuple(shape), dtype="float32")
        if self.normalize:
            grid = keras.layers.BatchNormalization(momentum=0.9, name="feature_norm")(grid)
        if self.units is not None:
            grid = keras.layers.Dense(self.units, activation="relu", name="projection")(grid)
        grid = keras.layers.Dropout(self.dropout, name="grid_dropout")(grid)
        return keras.Model(features, grid, name=name)


def _freeze_normalisation(backbone: "keras.Model") -> None:
    """Keeps batch normalisation in inference mode; `training=False` would not last in a model."""
    from keras import layers

    for layer in backbone._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _convolve(grid: Any, channels: int, *, size: int, stride: int) -> Any:
    from keras import layers

    grid = layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(grid)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(grid))
