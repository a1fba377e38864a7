"""What must hold between the records of images, the encoder that reads them and their training."""

from dataclasses import fields

from rnnpipe.errors import Faults, UserError
from rnnpipe.inputs.augmentation import AugmentationOptions
from rnnpipe.parts.image_encoders import ImageEncoderOptions
from rnnpipe.transforms.recipes.image_features import FeatureOptions

_NO_AUGMENTATION = AugmentationOptions()


def check_encoder(
    encoder: ImageEncoderOptions,
    features: FeatureOptions | None,
    augment: AugmentationOptions = _NO_AUGMENTATION,
    *,
    key: str = "model.image_encoder",
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
        raise UserError(f"{key}.kind", expected, got, fix)
    if features is not None:
        _check_unchanged(augment)


def _check_unchanged(augment: AugmentationOptions) -> None:
    names = [declared.name for declared in fields(augment)]
    faults = [
        UserError(
            f"train.augment.{name}",
            "none with data.features",
            str(getattr(augment, name)).lower(),
            "leave it out: features are computed once",
        )
        for name in names
        if getattr(augment, name) != getattr(_NO_AUGMENTATION, name)
    ]
    if faults:
        raise Faults(faults)
