"""What the config of every task has."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.settings import Settings, setting
from rnnpipe.tasks.extensions import METRICS, REPORT_ITEMS, check_names
from rnnpipe.transforms.options import BuildOptions, Data


class KeepBest(Settings):
    """Which epoch's weights are kept, and when training stops early."""

    metric: str = setting(help="a metric of the validation split")
    patience: int = setting(5, "epochs without a better value before it stops", ge=1)
    last: int = setting(0, "last epochs whose weights are kept too, beside the best; 0: none", ge=0)


class Train(Settings):
    """How the model is trained."""

    batch_size: int = setting(64, "examples of a batch", ge=1)
    epochs: int = setting(20, "at most", ge=1)
    optimizer: OptimizerOptions = AdamOptions()
    keep_best: KeepBest


class Evaluate(Settings):
    """What is scored at the end."""

    splits: tuple[Literal["train", "validation", "test"], ...] = setting(
        ("test",), "which of them are scored", min_length=1
    )
    batch_size: int = setting(256, "examples computed together", ge=1)
    metrics: tuple[str, ...] = setting((), "metrics of other packages, by their entry points")
    report_items: tuple[str, ...] = setting(
        (), "report items of other packages, by their entry points"
    )

    def check(self) -> None:
        """The other packages are installed."""
        check_names(METRICS, self.metrics, "metrics")
        check_names(REPORT_ITEMS, self.report_items, "report_items")


MAX_SEED = 2**32 - 1
"""The greatest seed that NumPy takes."""


class RunConfig(Settings):
    """What every run has, whatever its task."""

    task: str = setting(help="the task")
    seed: int = setting(7, "of everything random", ge=0, le=MAX_SEED)
    data: Data
    build: BuildOptions = BuildOptions()
    model: Settings
    train: Train
    evaluate: Evaluate = Evaluate()

    def __post_init__(self) -> None:
        super().__post_init__()
        # Each further member of an ensemble has the next seed.
        last = self.seed + getattr(self.train, "ensemble_size", 1) - 1
        if last > MAX_SEED:
            expected, got = f"at most {MAX_SEED} for the last member too", f"{last} there"
            raise UserError("seed", expected, got, "write a smaller one")
