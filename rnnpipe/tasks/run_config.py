"""What the config of every task has."""

from typing import Literal

from rnnpipe.errors import UserError, located
from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.parts.fine_tuning import FineTuningOptions
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.parts.rollback import RollbackOptions
from rnnpipe.parts.trackers import TrackerOptions
from rnnpipe.settings import FilePath, Positive, Settings, setting
from rnnpipe.storage.paths import has_scheme
from rnnpipe.tasks.extensions import METRICS, REPORT_ITEMS, check_names
from rnnpipe.transforms.options import BuildOptions, Data


class KeepBest(Settings):
    """Which epoch's weights are kept, and when training stops early."""

    metric: str = setting(help="a metric of the validation split")
    patience: int = setting(5, "epochs without a better value before it stops", ge=1)
    last: int = setting(0, "last epochs whose weights are kept too, beside the best; 0: none", ge=0)


class Start(Settings):
    """Another run, with whose weights training begins instead of random ones."""

    path: FilePath = setting(
        help="the folder of the run, or of several: the newest; it may be of another task"
    )
    parts: tuple[str, ...] = setting(
        (),
        "layers whose weights are taken, e.g. embedding, or encoder=recurrence where the run calls "
        "it otherwise; none named: all that fit",
    )

    def check(self) -> None:
        """Runs are on this machine, and a part is named on both sides of its equals sign."""
        if has_scheme(str(self.path)):
            fix = "copy the run to this machine"
            raise UserError("path", "a folder of this machine", "an object store", fix)
        for part in self.parts:
            if not all(map(str.strip, part.split("="))) or part.count("=") > 1:
                fix = "write e.g. embedding or encoder=recurrence"
                raise UserError("parts", "the name of a layer, or two as ours=theirs", part, fix)

    @property
    def renames(self) -> dict[str, str] | None:
        """What the other run calls each part; None for all parts."""
        pairs = (tuple(map(str.strip, part.split("="))) for part in self.parts)
        return {pair[0]: pair[-1] for pair in pairs} or None


class Train(Settings):
    """How the model is trained."""

    batch_size: int = setting(64, "examples of a batch", ge=1)
    micro_batches: int = setting(
        1,
        "parts that a batch is computed in, one after the other, for less memory; the step is that "
        "of the whole batch",
        ge=1,
    )
    devices: Literal["auto", "cpu", "all"] | Positive = setting(
        "auto",
        "what a batch is divided between; the step is that of the whole batch. auto: the first "
        "GPU, or the CPU; all: all GPUs; a number: so many GPUs, or replicas on the CPU",
    )
    epochs: int = setting(20, "at most", ge=1)
    optimizer: OptimizerOptions = AdamOptions()
    precision: Literal["float32", "bfloat16", "float16"] = setting(
        "float32",
        "what layers compute in while they are trained; weights, losses, metrics and the trained "
        "model are float32. float16 scales the loss, see optimizer.loss_scale",
    )
    keep_best: KeepBest
    checkpoint: CheckpointOptions = CheckpointOptions()
    rollback: RollbackOptions | None = setting(
        None,
        "how a training goes back, with a lower rate, where its loss is not finite; null: it ends "
        "with its best weights",
    )
    start: Start | None = setting(
        None, "another run whose weights it begins with; null: with random ones"
    )
    fine_tuning: FineTuningOptions | None = setting(
        None,
        "groups of layers with rates of their own, unfrozen one after the other; null: all layers "
        "are trained alike",
    )
    trackers: tuple[TrackerOptions, ...] = setting(
        (), "services in which losses, metrics and reports of many runs are looked at together"
    )

    def check(self) -> None:
        """Each service is there once, and its library is installed."""
        kinds = [tracker.kind for tracker in self.trackers]
        if len(set(kinds)) < len(kinds):
            raise UserError("trackers", "each kind once", ", ".join(kinds), "remove one")
        for tracker in self.trackers:
            tracker.check_installed()


class Evaluate(Settings):
    """What is scored at the end."""

    splits: tuple[Literal["train", "validation", "test"], ...] = setting(
        ("test",), "which of them are scored", min_length=1
    )
    batch_size: int = setting(256, "examples computed together", ge=1)
    ensemble: tuple[FilePath, ...] = setting(
        (),
        "folders of other trained runs of the task, whose probabilities are averaged with this "
        "run's, also in predict; the newest run in a folder of several",
    )
    metrics: tuple[str, ...] = setting((), "metrics of other packages, by their entry points")
    report_items: tuple[str, ...] = setting(
        (), "report items of other packages, by their entry points"
    )

    def check(self) -> None:
        """Nothing is scored twice, and the other packages are installed."""
        self.require_unique("splits", "metrics", "report_items")
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
        with located("train.optimizer.schedule"):
            self.train.optimizer.schedule.check_patience(self.train.keep_best.patience)
        if self.train.fine_tuning is not None:
            with located("train.fine_tuning"):
                self.train.fine_tuning.check_epochs(self.train.epochs)
