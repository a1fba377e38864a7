"""The encoder of images in a run: it is made, and agrees with the records and their training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from rnnpipe.errors import Faults, UserError, located
from rnnpipe.inputs.augmentation import NO_AUGMENTATION, AugmentationOptions
from rnnpipe.parts.image_encoders import ImageEncoderOptions
from rnnpipe.transforms.recipes.image_features import FeatureOptions

if TYPE_CHECKING:
    import keras

_KEY = "model.image_encoder"
_FEATURES_SHAPE = (7, 7, 2048)  # that of ResNet's, in the place of those of records to come


def check_encoder(
    encoder: ImageEncoderOptions,
    features: FeatureOptions | None,
    augment: AugmentationOptions = NO_AUGMENTATION,
    *,
    key: str = _KEY,
) -> None:
    """Checks that an encoder reads what the records hold, and that training can change it.

    Args:
        encoder: the encoder.
        features: `data.features`.
        augment: `train.augment`.
        key: the encoder's own key.

    Raises:
        UserError: the encoder reads features and there are none, or the other way round; or
            features, which are computed once, were to be augmented.
    """
    if encoder.reads_features != (features is not None):
        expected = "another kind without data.features" if features is None else "the kind features"
        got = getattr(encoder, "kind", type(encoder).__name__)
        fix = f"let {key} and data.features agree"
        raise UserError(key, expected, got, fix)
    if features is not None:
        _check_unchanged(augment)


def make_encoder(options: ImageEncoderOptions, shape: Sequence[int]) -> keras.Model:
    """The encoder, with the errors of its settings under their keys in a config.

    Args:
        options: the encoder.
        shape: of what it reads.

    Raises:
        UserError: it cannot be made.
    """
    with located(_KEY):
        return options.make(shape)


def make_trial_encoder(options: ImageEncoderOptions, image_size: int) -> keras.Model:
    """The encoder before there are records, to see whether a model can be built with it.

    Args:
        options: the encoder.
        image_size: height and width of the images that it reads, unless it reads features.

    Raises:
        UserError: one of its files is missing, or it cannot be made.
    """
    with located(_KEY):
        options.check_files()
    pixels = (image_size, image_size, 3)
    return make_encoder(options, _FEATURES_SHAPE if options.reads_features else pixels)


def _check_unchanged(augment: AugmentationOptions) -> None:
    names = [declared.name for declared in fields(NO_AUGMENTATION)]  # a clip's speed may change
    faults = [
        UserError(
            f"train.augment.{name}",
            "none with data.features",
            str(getattr(augment, name)).lower(),
            "leave it out: features are computed once",
        )
        for name in names
        if getattr(augment, name) != getattr(NO_AUGMENTATION, name)
    ]
    if faults:
        raise Faults(faults)
