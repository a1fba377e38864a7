"""Images, and a small CNN."""

from typing import Annotated, Literal

from pydantic import Field

from rnnpipe.config.schema.base import Fraction, HeldOut, Section


class Image(Section):
    """How images are stored."""

    size: int = Field(64, ge=16, description="height and width, in pixels")
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    jpeg_quality: int = Field(92, ge=1, le=95)


class Splits(HeldOut):
    """Shares of the training part held out, by image, where the raw data has no such split."""


class CnnEncoder(Section):
    """A small convolutional network, trained from scratch."""

    kind: Literal["cnn"]
    patch: int = Field(4, ge=1, description="the first stage's patches, in pixels")
    channels: list[Annotated[int, Field(ge=1)]] = Field(
        [32, 64], min_length=1, description="of every stage; each but the first halves the grid"
    )
    dropout: Fraction = 0.0
