"""Features of a backbone, as the configs of tasks with images or videos describe them."""

from typing import Literal

from pydantic import Field

from rnnpipe.config.schema.base import FilePath, Section
from rnnpipe.errors import UserError


class Features(Section):
    """A backbone of keras.applications, which makes a grid of features of each image."""

    backbone: str = Field(description="its name there, e.g. ResNet101 or MobileNetV2")
    weights: Literal["imagenet", "none"] | FilePath = Field(
        "imagenet", description="`imagenet` downloads them; or a file that Keras saved; or `none`"
    )
    image_size: int = Field(224, ge=32, description="height and width of its input, in pixels")
    layer: str | None = Field(
        None, description="the layer whose output is taken; default: the last before pooling"
    )
    options: dict[str, float | int | bool | str] = Field(
        {}, description="other arguments of the backbone, e.g. {alpha: 0.25}"
    )
    batch_size: int = Field(32, ge=1, description="images that a worker computes at once")
    seed: int = Field(1, description="of random weights")


def check_encoder(encoder: str, kind: str, features: Features | None) -> None:
    """Checks that a model's encoder fits the records.

    Args:
        encoder: the key of the encoder, e.g. `model.image_encoder`.
        kind: its kind.
        features: the config's `data.features`.

    Raises:
        UserError: it does not.
    """
    if (kind == "features") != (features is not None):
        expected = "another kind without data.features" if features is None else "the kind features"
        raise UserError(encoder, expected, kind, f"let {encoder} and data.features agree")
