"""A small configuration that has every kind of thing a schema can hold."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from rnnpipe.config.loader import load_config
from rnnpipe.errors import Faults, UserError


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Cnn(Section):
    kind: Literal["cnn"]
    channels: tuple[PositiveInt, ...] = (32, 64)
    kernel: tuple[int, int] = (3, 3)


class Lstm(Section):
    kind: Literal["lstm"]
    units: PositiveInt
    inner: "Encoder | None" = None


Encoder = Annotated[Cnn | Lstm, Field(discriminator="kind")]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Data(Section):
    path: Path
    sizes: list[int] = Field([1], min_length=1, max_length=3)
    colour: Colour = Colour.RED
    names: dict[Literal["a", "b"], int] = {}
    title: str = Field("t", min_length=1, max_length=9)
    image_size: int = Field(64, ge=16, le=512)


class Train(Section):
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(64, multiple_of=8)
    rate: float = Field(1e-3, gt=0)
    keep: float = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    shuffle: bool = True
    limit: int | Literal["all"] | list[int] = "all"
    both: Cnn | Lstm | None = None

    @field_validator("epochs")
    @classmethod
    def _few(cls, value: int) -> int:
        if value > 1000:
            raise ValueError("that would take years; stop earlier")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Train":
        wrong = [
            UserError(key, "a batch that fits", str(self.batch_size), "write 8")
            for key in ("batch_size", "epochs")
            if self.batch_size > 1024
        ]
        if wrong:
            raise Faults(wrong)
        return self


class Run(Section):
    task: Literal["run"]
    encoder: Encoder
    data: Data
    train: Train = Train()
    seed: int | None = None


class Other(Section):
    task: Literal["other"]
    anything: Any = None
    tags: set[str] = set()
    by_number: dict[int, float] = {}


SCHEMAS = {"run": Run, "other": Other}


@pytest.fixture
def schemas() -> dict[str, type[BaseModel]]:
    return dict(SCHEMAS)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """Loads a text as `run.yaml`."""

    def load_text(text: str, *overrides: str) -> Any:
        file = tmp_path / "run.yaml"
        file.write_text(text, encoding="utf-8")
        return load_config(file, SCHEMAS, overrides)

    return load_text


@pytest.fixture
def error_lines(load: Callable[..., Any], tmp_path: Path) -> Callable[..., list[str]]:
    """The faults of a text, a line each, without the folder of the file."""

    def faults_of(text: str, *overrides: str) -> list[str]:
        with pytest.raises(UserError) as raised:
            load(text, *overrides)
        return str(raised.value).replace(f"{tmp_path}/", "").splitlines()

    return faults_of
