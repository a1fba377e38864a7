"""The folder of one run: its files, and how it is opened.

runs/<name>/<time>/
    config.yaml           the config, resolved
    environment.json      versions, machine, command, settings, and what the records were made from
    seal.json             the checksums of all files here that are read again
    trackers.json         by which numbers trackers know the run, where the config names some
    start.json            what was taken of another run's weights, where it started from one
    checkpoints/          the best weights, and what an unfinished training goes on from
        best.states/      until it is trained, its last states
        untrained.keras   until it is trained, the model as it was built
        start.npz         until it is trained, the weights of another run that it begins with
        members/          the same and the history of each further model of an ensemble
        pretraining/      history and weights of what layers were pretrained in
        phases/           histories and weights of further phases of training, if there are any
        baselines/        trained models to compare with, where the task has some
    vocabulary/           what `predict` needs beside the model
    model.keras           the trained model
    history.csv           losses and metrics of every epoch
    tensorboard/          event files; those of phases, members and baselines lie in folders
    metrics.json          {split: {metric: number}}
    ensemble.json         the runs whose models were averaged, where `evaluate.ensemble` names some
    language_model.json   the run that searched with it, where `evaluate.search` names one
    predictions.jsonl     the prediction for every evaluated record
    …_results.json        the same in a format of others, where the task has one
    report.html           the report
    evaluations/<time>/   results with other settings, or of a training that had not ended
        partial.json      which epoch they are of, if it had not
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.runs.begin import find_begin
from rnnpipe.storage.lock import locking
from rnnpipe.storage.seal import Seal

BEST_WEIGHTS = "best.weights.h5"


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run.

    Args:
        path: where it is.
    """

    path: Path

    @property
    def seal(self) -> Seal:
        """By which its files are checked when they are read."""
        return Seal(self.path)

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def environment(self) -> Path:
        """Versions, machine and command."""
        return self.path / "environment.json"

    @property
    def weights(self) -> Path:
        """The best weights so far."""
        return self.path / "checkpoints" / BEST_WEIGHTS

    @property
    def untrained(self) -> Path:
        """The model as it was built, or the first member: the best weights so far fit it."""
        return self.path / "checkpoints" / "untrained.keras"

    @property
    def start(self) -> Path:
        """The weights of another run that training begins with."""
        return self.path / "checkpoints" / "start.npz"

    @property
    def start_report(self) -> Path:
        """Which weights of another run it took and left."""
        return self.path / "start.json"

    @property
    def pretraining(self) -> Path:
        """The folder of what layers were pretrained in, with its history."""
        return self.path / "checkpoints" / "pretraining"

    @property
    def trackers(self) -> Path:
        """By which numbers trackers know it."""
        return self.path / "trackers.json"

    @property
    def phases(self) -> Path:
        """The folder of further phases of training: a folder of each, with its history."""
        return self.path / "checkpoints" / "phases"

    @property
    def members(self) -> Path:
        """The folder of the further models of an ensemble: a folder of each."""
        return self.path / "checkpoints" / "members"

    @property
    def baselines(self) -> Path:
        """The folder of trained models that the run's own is compared with."""
        return self.path / "checkpoints" / "baselines"

    @property
    def vocabulary(self) -> Path:
        """The folder of what `predict` needs beside the model."""
        return self.path / "vocabulary"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model.keras"

    @property
    def history(self) -> Path:
        """Losses and metrics of every epoch."""
        return self.path / "history.csv"

    @property
    def tensorboard(self) -> Path:
        """The folder of event files."""
        return self.path / "tensorboard"

    @property
    def metrics(self) -> Path:
        """The scores of every split evaluated."""
        return self.path / "metrics.json"

    @property
    def ensemble(self) -> Path:
        """The runs that were evaluated together."""
        return self.path / "ensemble.json"

    @property
    def language_model(self) -> Path:
        """The run whose language model took part in the searches."""
        return self.path / "language_model.json"

    @property
    def predictions(self) -> Path:
        """The prediction for every evaluated record."""
        return self.path / "predictions.jsonl"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def partial(self) -> Path:
        """Of an evaluation: which epoch its results are of, if the training had not ended."""
        return self.path / "partial.json"

    def forget_training(self) -> None:
        """Removes what only an unfinished training needs."""
        for unneeded in (self.untrained, self.start):
            self.seal.remove(unneeded)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes from training or scoring here, until this one has done so.

        Raises:
            UserError: another one does.
        """
        with ExitStack() as lock:
            try:
                lock.enter_context(locking(self.config))
            except BlockingIOError:
                raise UserError(
                    str(self.path),
                    "a run that no other process trains or scores",
                    "one that another process trains or scores",
                    "wait for it, or end it",
                ) from None
            yield

    @property
    def is_locked(self) -> bool:
        """Whether a process trains or scores it now."""
        try:
            with self.lock():
                return False
        except UserError:
            return True


def open_run(path: Path) -> RunDirectory:
    """A run with a model: its own folder, or one in a folder of several.

    Of several it is the newest that is trained; where none is, the newest whose training has come
    to a first epoch.

    Raises:
        UserError: there is none.
    """
    runs = find_runs(path)
    for file in ("model", "weights"):
        for run in runs:
            if getattr(run, file).is_file():
                return run
    if runs:
        if any(map(runs[0].seal.expects, (runs[0].model, runs[0].weights))):
            return runs[0]  # whoever reads them says that they are lost
        raise no_epoch_done(runs[0])
    got = "a folder without a run" if path.is_dir() else "no such folder"
    raise UserError(
        str(path), "the folder of a trained run", got, "name one that `rnnpipe train` printed"
    )


def no_epoch_done(run: RunDirectory) -> UserError:
    """The error of a run without any weights."""
    return UserError(
        str(run.path),
        "a run with weights of at least one epoch",
        "one whose first epoch is not done",
        "try again when it is; if the training was interrupted, continue it with "
        f"`rnnpipe resume {run.path}`",
    )


def open_interrupted(path: Path) -> RunDirectory:
    """A run that was not trained or scored to its end: its own folder, or the newest of several.

    Raises:
        UserError: there is none.
    """
    runs = find_runs(path)
    for run in runs:
        if not run.report.exists():
            return run
    got = "no such folder"
    if path.is_dir():
        got = "a run that is finished" if runs else "a folder without a run"
    raise UserError(
        str(path),
        "the folder of a run that was interrupted",
        got,
        f"score it again with `rnnpipe evaluate {path}`" if runs else "name one of your runs",
    )


def find_runs(path: Path) -> list[RunDirectory]:
    """The run that a folder is, or the runs in it, the one begun last first."""
    folders = [RunDirectory(child) for child in path.glob("*") if child.is_dir()]
    runs = [run for run in folders if run.config.is_file()]
    own = RunDirectory(path)
    return [*([own] if own.config.is_file() else []), *sorted(runs, key=_begin, reverse=True)]


def _begin(run: RunDirectory) -> tuple[datetime, bool]:
    return find_begin(run.path.name, run.environment)
