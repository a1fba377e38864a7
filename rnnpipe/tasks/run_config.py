"""What the config of every task has."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.settings import FilePath, Settings, fraction, setting
from rnnpipe.sources.source import Source


class HeldOut(Settings):
    """Shares of the training split held out where the raw data has no such split."""

    validation: float = fraction(0.1)
    test: float = fraction(0.1)

    def check(self) -> None:
        """Some is left to train on."""
        if self.validation + self.test >= 1:
            expected, got = "shares of less than 1 together", f"{self.validation} and {self.test}"
            raise UserError("", expected, got, "make them smaller, so that some is left for train")

    @property
    def shares(self) -> dict[str, float]:
        """The share of each split; a split with a share of 0 is not made."""
        shares = {"validation": self.validation, "test": self.test}
        return {split: share for split, share in shares.items() if share}


class Data(Settings):
    """The raw data and what is made of it."""

    source: Source
    directory: FilePath | None = setting(
        None, "where the records go; null: a folder of their own in the cache"
    )
    splits: HeldOut = HeldOut()


class Build(Settings):
    """How records are built."""

    workers: int = setting(1, "local worker processes; 1 works in this process", ge=1)
    records_per_shard: int = setting(1000, "records of a file, about", ge=1)
    max_bad_fraction: float = setting(
        0.05, "share of raw records that may become dead letters", ge=0, le=1
    )


class KeepBest(Settings):
    """Which epoch's weights are kept, and when training stops early."""

    metric: str = setting(help="a metric of the validation split")
    patience: int = setting(5, "epochs without a better value before it stops", ge=1)


class Train(Settings):
    """How the model is trained."""

    batch_size: int = setting(64, "examples of a batch", ge=1)
    epochs: int = setting(20, "at most", ge=1)
    optimizer: OptimizerOptions = AdamOptions()
    keep_best: KeepBest


class Evaluate(Settings):
    """What is scored at the end."""

    splits: tuple[Literal["train", "validation", "test"], ...] = setting(("test",), min_length=1)
    batch_size: int = setting(256, "examples computed together", ge=1)


class RunConfig(Settings):
    """What every run has, whatever its task."""

    task: str
    seed: int = setting(7, "of everything random", ge=0)
    data: Data
    build: Build = Build()
    model: Settings
    train: Train
    evaluate: Evaluate = Evaluate()
