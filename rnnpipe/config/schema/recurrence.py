"""A stack of recurrent layers."""

from typing import Literal

from pydantic import Field

from rnnpipe.config.schema.base import Fraction, Section


class Recurrence(Section):
    """The recurrent layers, one on top of the other."""

    kind: Literal["lstm", "gru", "vanilla", "highway"] = "lstm"
    units: int = Field(256, ge=1)
    depth: int = Field(1, ge=1, description="layers")
    dropout: Fraction = Field(0.0, description="between two layers")
    connection: Literal["residual", "highway"] | None = Field(
        None, description="how a layer's input joins its output"
    )
