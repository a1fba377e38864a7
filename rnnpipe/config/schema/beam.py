"""Beam search."""

from pydantic import Field, model_validator

from rnnpipe.config.schema.base import Section
from rnnpipe.errors import UserError


class Beam(Section):
    """How sequences are searched for."""

    width: int = Field(5, ge=1, description="1 is greedy")
    length_penalty: float = Field(
        1.0, ge=0, description="alpha of GNMT; 0 compares plain log-probabilities"
    )
    n_best: int = Field(5, ge=1, description="sequences of each source, at most width")
    max_length: int = Field(100, ge=1, description="tokens of a sequence at most")

    @model_validator(mode="after")
    def _check(self) -> "Beam":
        if self.n_best > self.width:
            expected, fix = f"at most the width, {self.width}", "widen the beam"
            raise UserError("n_best", expected, str(self.n_best), fix)
        return self
