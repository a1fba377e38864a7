"""Augmentation of images in training."""

from pydantic import Field

from rnnpipe.config.schema.base import Fraction, Section
from rnnpipe.errors import Faults, UserError


class Augmentation(Section):
    """What happens to training images anew in every epoch; to all frames of a clip alike.

    Not with `data.features`, which are computed once.
    """

    shift: int = Field(0, ge=0, description="pixels by which they are moved at most")
    flip: bool = Field(False, description="whether every second one is seen in a mirror")
    brightness: Fraction = Field(0.0, description="by which share of white they change at most")


def check_unchanged(augment: Augmentation) -> None:
    """Features are computed before training: their pixels cannot change in it.

    Raises:
        UserError: something is to happen to them.
    """
    none = Augmentation().model_dump()
    faults = [
        UserError(
            f"train.augment.{key}",
            "none with data.features",
            str(value).lower(),
            "leave it out: features are computed once",
        )
        for key, value in augment.model_dump().items()
        if value != none[key]
    ]
    if faults:
        raise Faults(faults)
