"""The second stage of a run: a model trained on finished records."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console
from rich.progress import Progress

from rnnpipe.config.dump import dump_config
from rnnpipe.errors import Faults, UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.checks import check_training
from rnnpipe.runs.directory import (
    RunDirectory,
    create_run,
    find_runs,
    write_json,
    write_text,
)
from rnnpipe.runs.environment import describe_environment
from rnnpipe.runs.model import save_model
from rnnpipe.runs.progress import LogLines, fetch_records, make_progress
from rnnpipe.settings import make_paths_absolute
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.tasks.base import Phase, Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.training.fit import Diverged, KeepLastEpochs, TrainingFiles, fit_model
from rnnpipe.training.malloc import tune_malloc


class TrainingProgress(keras.callbacks.Callback):
    """A line for the running epoch, and one that stays for every finished one.

    Args:
        progress: where the lines are shown.
        steps: steps of an epoch.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        super().__init__()
        self._progress, self._steps, self._epoch = progress, steps, 0
        self._log = LogLines(progress.console)
        self._line = progress.add_task("training", total=None, text="")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """The whole training is one bar: its time left is what people wait for."""
        self._progress.update(self._line, total=self.params["epochs"] * self._steps)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """A training that was interrupted begins with a later epoch."""
        self._epoch = epoch
        self._progress.update(self._line, completed=epoch * self._steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """One step further."""
        self._progress.update(self._line, advance=1, text=_describe(logs or {}))
        place = f"epoch {self._epoch + 1:>3}  step {batch + 1}/{self._steps}"
        self._log(lambda: f"{place}  {_describe(logs or {})}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """The epoch's losses and metrics stay on the terminal."""
        self._progress.console.print(f"epoch {epoch + 1:>3}  {_describe(logs or {})}")


class InitialScoreLog(keras.callbacks.Callback):
    """Adds the score before the first epoch to the logs of every epoch.

    Args:
        name: under which name.
        value: the score.
    """

    def __init__(self, name: str, value: float) -> None:
        super().__init__()
        self._name, self._value = name, value

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the score."""
        if logs is not None:
            logs[self._name] = self._value


def _describe(logs: dict[str, Any]) -> str:
    return "  ".join(f"{name} {float(value):.4g}" for name, value in logs.items())


def train(
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    *,
    name: str,
    runs_dir: Path,
    console: Console,
) -> RunDirectory:
    """Trains a model and saves it in a new run directory.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records.
        name: the run's name.
        runs_dir: where run directories go.
        console: where progress is shown.

    Raises:
        UserError: the records lack a split, the run directory cannot be made, or the training
            fails.
    """
    task.check_model()
    fetch_records(records, console)
    check_training(config, task, records)
    text = dump_config(make_paths_absolute(config))
    _note_interrupted(runs_dir / name, text, console)
    run = _begin_run(runs_dir, name, text, records)
    with run.lock():
        finish_training(config, task, records, run, console)
    return run


def _note_interrupted(folder: Path, config: str, console: Console) -> None:
    """Names the last run of the same config whose training was interrupted."""
    for run in find_runs(folder):
        if not run.model.exists() and run.config.read_text() == config and not run.is_locked:
            note = f"{run.path} of the same config was interrupted; to go on with it:"
            console.print(f"Note: {note}\nrnnpipe resume {run.path}", style="yellow")
            return


def _begin_run(runs_dir: Path, name: str, config: str, records: RecordsDirectory) -> RunDirectory:
    """A new run's folder with all that `resume` needs, or none."""
    fix = "make room, or choose another folder with --runs-dir"
    with report_full_disk("a run", runs_dir / name, fix):
        run = create_run(runs_dir, name)
        started = datetime.now(UTC).isoformat(timespec="microseconds")
        made_from = {"records": records.fingerprint, "records_from": records.made_from}
        try:
            environment = {"started": started, **describe_environment(), **made_from}
            write_json(run.environment, environment)
            write_text(run.config, config)  # at last: a folder with a config is a run
        except BaseException:
            shutil.rmtree(run.path)
            raise
    return run


def finish_training(
    config: RunConfig, task: Task, records: RecordsDirectory, run: RunDirectory, console: Console
) -> None:
    """Trains the model of a run, from its beginning or from where it was interrupted.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records, fetched.
        run: where it goes; `run.lock` must be held.
        console: where progress is shown.

    Raises:
        UserError: the training fails, the disk is full, or what is in the folder is another
            model's. Where a loss became NaN, the best models before that are saved all the same.
    """
    tune_malloc()
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    training = _Training(config, task, records, run, console)
    fix = f"make room, then continue with `rnnpipe resume {run.path}`"
    try:
        with report_full_disk("the run", run.path, fix):
            task.save_vocabulary(records, run.vocabulary)
            model = training.train_model()
            for phase in task.make_phases(model, records, run.weights):
                training.refine(phase)
            training.train_baselines()
            save_model(model, run.model)  # at the very end: a run with a model is trained
    except KeyboardInterrupt:
        console.print(f"Interrupted; continue with:\nrnnpipe resume {run.path}")
        raise
    if training.diverged:
        fix = (
            f"the best model before that is saved: score it with `rnnpipe evaluate {run.path}`; or"
        )
        raise Faults(
            [
                UserError(fault.where, fault.expected, fault.got, f"{fix} {fault.fix}")
                for fault in training.diverged
            ]
        )


@dataclass(frozen=True)
class _Training:
    """The trainings of one run: its model or models, their further phases, its baselines.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records, fetched.
        run: where it goes.
        console: where progress is shown.
        diverged: the trainings whose loss became NaN; they end with their best weights.
    """

    config: RunConfig
    task: Task
    records: RecordsDirectory
    run: RunDirectory
    console: Console
    diverged: list[Diverged] = field(default_factory=list)

    def train_model(self) -> keras.Model:
        """The trained model, or the ensemble of several."""
        run, size = self.run, self.task.ensemble_size
        files = TrainingFiles(run.weights, run.history, run.tensorboard)
        if size == 1:
            model = self.task.build_model(self.records)
            self._fit(model, files)
            return model
        models = []
        for number in range(1, size + 1):
            self.console.print(f"Member {number} of {size}:")
            seed = self.config.seed + number - 1
            keras.utils.set_random_seed(seed)
            model = self.task.build_model(self.records)
            self._fit(model, files, seed=seed)
            models.append(model)
            name = str(number + 1)
            files = _files_in(run.members / name, run.tensorboard / "members" / name)
        return self.task.join(models)

    def refine(self, phase: Phase) -> None:
        """Trains a model further, and leaves it no worse than it was on the validation split."""
        monitor, mode = self.task.monitor()
        start = phase.score()
        self.console.print(f"{phase.name}: {monitor} {start:.4g} before")
        folder = self.run.phases / phase.name
        self._fit_batches(
            phase.trainer,
            phase.batches,
            epochs=phase.epochs,
            monitor=monitor,
            mode=mode,
            patience=phase.patience,
            files=_files_in(folder, self.run.tensorboard / "phases" / phase.name),
            callbacks=[*phase.callbacks, InitialScoreLog(f"{monitor}_at_start", start)],
            start=start,
        )

    def train_baselines(self) -> None:
        """Trains the models to compare with, and saves those that could be trained."""
        folder = self.run.baselines
        for name, model in self.task.build_baselines(self.records).items():
            self.console.print(f"Baseline {name}:")
            files = TrainingFiles(
                folder / f"{name}.weights.h5",
                folder / f"{name}.csv",
                self.run.tensorboard / "baselines" / name,
            )
            try:
                self._fit(model, files)
            except Diverged as fault:  # from its first epoch on; the model itself is trained
                self.diverged.append(fault)
            else:
                save_model(model, folder / f"{name}.keras")

    def _fit(self, model: keras.Model, files: TrainingFiles, *, seed: int | None = None) -> None:
        """Trains a model as the config says, and leaves it with its best weights.

        The order of batches follows `seed`, by default the config's.
        """
        config, task, records = self.config, self.task, self.records
        trainer = task.build_trainer(model, records)
        monitor, mode = task.monitor()
        seed = config.seed if seed is None else seed
        self._fit_batches(
            trainer,
            task.make_batches(records, "train", shuffle_seed=seed),
            epochs=config.train.epochs,
            monitor=monitor,
            mode=mode,
            patience=config.train.keep_best.patience,
            files=files,
            callbacks=_make_callbacks(config, task, trainer, model, records, files.weights),
        )

    def _fit_batches(
        self, trainer: keras.Model, batches: Any, *, callbacks: Sequence[Any], **options: Any
    ) -> None:
        """Calls `fit_model` with a progress bar; a loss that becomes NaN ends the training only."""
        with make_progress(self.console) as progress:
            shown = TrainingProgress(progress, len(batches))
            try:
                fit_model(
                    trainer,
                    batches,
                    self.task.make_batches(self.records, "validation"),
                    callbacks=[*callbacks, shown],
                    **options,
                )
            except Diverged as fault:
                if not fault.kept:
                    raise
                self.diverged.append(fault)


def _files_in(folder: Path, tensorboard: Path) -> TrainingFiles:
    return TrainingFiles(folder / "best.weights.h5", folder / "history.csv", tensorboard)


def _make_callbacks(
    config: RunConfig,
    task: Task,
    trainer: keras.Model,
    model: keras.Model,
    records: RecordsDirectory,
    weights: Path,
) -> list[keras.callbacks.Callback]:
    """The callbacks of the config and of the task, in this order."""
    optimizer = config.train.optimizer
    callbacks = optimizer.make_callbacks()
    callbacks += task.make_callbacks(trainer, model, records, weights)
    if last := config.train.keep_best.last:
        folder = weights.with_name(f"{weights.name.removesuffix('.weights.h5')}_epochs")
        callbacks.append(KeepLastEpochs(last, folder))
    return callbacks + optimizer.schedule.make_callbacks(*task.monitor())
