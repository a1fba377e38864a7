"""What the config of every task has."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WrapValidator, model_validator

from rnnpipe.errors import UserError
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.storage.paths import as_path

Fraction = Annotated[float, Field(ge=0, lt=1)]


def _place(path: Any, read: Callable[[Any], Path]) -> Path:
    if isinstance(path, str) and "://" in path:
        return as_path(path)
    return _expand(read(path))


def _expand(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError(
            "", "a path", f'"{path}", whose user is not known', "write the folder out"
        ) from None


FilePath = Annotated[Path, WrapValidator(_place)]
"""A file or folder; relative to where the command runs, `~` is the home folder.

Where raw data is read and records are written it may be one of an object store, `s3://…`.
"""


class Section(BaseModel):
    """A part of a config: unknown keys and wrong types are refused, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(Section):
    """Where raw data comes from."""

    kind: str


class Data(Section):
    """The raw data and what is made of it."""

    source: Source
    directory: FilePath | None = Field(
        None, description="where the records go; default: a folder of their own in the cache"
    )


class HeldOut(Section):
    """Shares of the training part held out where the raw data has no such split."""

    validation: Fraction = 0.1
    test: Fraction = 0.1

    @model_validator(mode="after")
    def _leave_some(self) -> "HeldOut":
        if self.validation + self.test >= 1:
            expected, got = "shares of less than 1 together", f"{self.validation} and {self.test}"
            raise UserError("", expected, got, "make them smaller, so that some is left for train")
        return self


class Build(Section):
    """How records are built."""

    workers: int = Field(1, ge=1, description="local worker processes; 1 works in this process")
    records_per_shard: int = Field(1000, ge=1)
    max_bad_fraction: float = Field(
        0.05, ge=0, le=1, description="share of raw records that may become dead letters"
    )


class KeepBest(Section):
    """Which epoch's weights are kept, and when training stops early."""

    metric: str = Field(description="a metric of the validation split")
    patience: int = Field(5, ge=1, description="epochs without a better value before it stops")


class Train(Section):
    """How the model is trained."""

    batch_size: int = Field(64, ge=1)
    epochs: int = Field(20, ge=1)
    optimizer: OptimizerOptions = AdamOptions()
    keep_best: KeepBest


class Evaluate(Section):
    """What is scored at the end."""

    splits: list[Literal["train", "validation", "test"]] = Field(["test"], min_length=1)
    batch_size: int = Field(256, ge=1)


class RunConfig(Section):
    """What every run has, whatever its task."""

    task: str
    seed: int = Field(7, ge=0)
    data: Data
    build: Build = Build()
    model: Section
    train: Train
    evaluate: Evaluate = Evaluate()
