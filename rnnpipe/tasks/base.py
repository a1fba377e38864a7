"""What a task is: all that the stages of a run ask of it. The config stops here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.items import ReportItem

if TYPE_CHECKING:
    # Beam and Keras take seconds to import, and no stage needs both.
    import keras

    from rnnpipe.transforms.build import Build


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation of one split found.

    Args:
        scores: by metric; those of baselines are called `baseline/<name>/<metric>`.
        predictions: a row for each record, JSON values.
        report_items: what to show of it in the report.
        files: more files for the run's folder, by name: e.g. results in a format of others.
        notices: what to say of it on the terminal, e.g. which scores are left out and why.
    """

    scores: Mapping[str, float]
    predictions: Sequence[Mapping[str, Any]]
    report_items: Sequence[ReportItem] = field(default_factory=tuple)
    files: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of a user's own input.

    Args:
        answers: texts with their probabilities, the likeliest first.
        picture: a PNG of where it looked.
        timeline: of a video, from when to when, in seconds, it shows what, and how probably.
    """

    answers: Sequence[tuple[str, float]]
    picture: bytes
    timeline: Sequence[tuple[float, float, str, float]] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """A further phase of training, which goes on where the one before it ended.

    Args:
        name: of its files.
        trainer: the model, compiled anew.
        batches: what it learns from.
        epochs: how often it goes through them at most.
        patience: how many epochs without a better one end it.
        callbacks: see each epoch before its weights are judged.
        score: what it is judged by, of the model as it is.
    """

    name: str
    trainer: "keras.Model"
    batches: Any
    epochs: int
    patience: int
    callbacks: "Sequence[keras.callbacks.Callback]"
    score: Callable[[], float]


class Task(Protocol):
    """One task with its config."""

    name: str
    main_metric: str
    inputs: Sequence[str]
    """What `predict` needs: names of the command line's options, e.g. `image`."""

    def __init__(self, config: Any) -> None: ...

    def prepare_build(self) -> "Build":
        """The build of the records that the config asks for."""

    def build_model(self, records: RecordsDirectory) -> "keras.Model":
        """The untrained model, with all outputs that predictions and the report need."""

    def build_trainer(self, model: "keras.Model", records: RecordsDirectory) -> "keras.Model":
        """The same weights, compiled, with only the outputs that training needs."""

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of (inputs, targets) of a split."""

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation quantity that says which epoch is best, and whether `min` or `max`."""

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies what `predict` needs beside the model, so that a run needs no records."""

    def evaluate(self, model: "keras.Model", records: RecordsDirectory, split: str) -> Evaluation:
        """The scores of a model and of the baselines on a split."""

    def predict(
        self, model: "keras.Model", folder: Path, inputs: Mapping[str, str]
    ) -> Prediction | Iterator[str]:
        """What a model says of a user's input, or the pieces of a text as it writes them.

        Args:
            model: the trained model.
            folder: that of `save_vocabulary`.
            inputs: all of `inputs` and, of a task that takes options, of `options`.

        Raises:
            UserError: the input cannot be read.
        """


@runtime_checkable
class TakesOptions(Protocol):
    """A task whose `predict` may be told more than it needs."""

    options: Mapping[str, str]
    """Names of the command line's options, with what stands where one is not given."""


@runtime_checkable
class ChecksModel(Protocol):
    """A task whose model needs more than records, e.g. a file of weights."""

    def check_model(self) -> None:
        """Looks for it before records are built, which may take hours.

        Raises:
            UserError: it is not there.
        """


@runtime_checkable
class WatchesTraining(Protocol):
    """A task that does more in training than to fit, e.g. to score what the model decodes."""

    def make_callbacks(
        self, trainer: "keras.Model", model: "keras.Model", records: RecordsDirectory, weights: Path
    ) -> "Sequence[keras.callbacks.Callback]":
        """Callbacks that see each epoch before its weights are judged.

        Args:
            trainer: what `build_trainer` made, which is fitted.
            model: the model with all outputs, of the same weights.
            records: what it is trained on.
            weights: the file of the best weights, which is loaded in the end.
        """


@runtime_checkable
class TrainsFurther(Protocol):
    """A task whose model is trained in further phases, e.g. by what its outputs score."""

    def make_phases(
        self, model: "keras.Model", records: RecordsDirectory, weights: Path
    ) -> "Iterator[Phase]":
        """The phases, one after the other; `monitor` and the validation batches stay the same.

        Args:
            model: the trained model.
            records: what it was trained on.
            weights: the file of the best weights so far.
        """


@runtime_checkable
class TrainsMembers(Protocol):
    """A task whose model may be several that are trained apart, from different first weights."""

    @property
    def members(self) -> int:
        """How many."""

    def join(self, models: "Sequence[keras.Model]") -> "keras.Model":
        """The one model that trained ones make together, with the outputs of `build_model`."""


@runtime_checkable
class TrainsBaselines(Protocol):
    """A task whose model is compared with simpler ones that are trained in the same way.

    Its `evaluate` takes them, trained, by name as `baselines`.
    """

    def build_baselines(self, records: RecordsDirectory) -> "Mapping[str, keras.Model]":
        """The untrained models by name; `build_trainer` makes their trainers too."""
