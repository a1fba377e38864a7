"""The second stage of a run: a model trained on finished records."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console
from rich.progress import Progress

from rnnpipe.config.dump import dump_config
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.checks import check_splits
from rnnpipe.runs.directory import RunDirectory, create_run, write_json
from rnnpipe.runs.environment import describe_environment
from rnnpipe.runs.model import save_model
from rnnpipe.runs.progress import fetch_records, make_progress
from rnnpipe.tasks.base import Phase, Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.training.fit import TrainingFiles, fit_model
from rnnpipe.training.malloc import tune_malloc


class TrainingProgress(keras.callbacks.Callback):
    """A line for the running epoch, and one that stays for every finished one.

    Args:
        progress: where the lines are shown.
        steps: steps of an epoch.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        super().__init__()
        self._progress, self._steps = progress, steps
        self._line = progress.add_task("training", total=None, text="")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """The whole training is one bar: its time left is what people wait for."""
        self._progress.update(self._line, total=self.params["epochs"] * self._steps)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """A training that was interrupted begins with a later epoch."""
        self._progress.update(self._line, completed=epoch * self._steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """One step further."""
        self._progress.update(self._line, advance=1, text=_describe(logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """The epoch's losses and metrics stay on the terminal."""
        self._progress.console.print(
            f"epoch {epoch + 1:>3}  {_describe(logs or {})}", soft_wrap=True
        )


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
    check_splits(config, records.splits)
    fetch_records(records, console)
    run = create_run(runs_dir, name)
    run.config.write_text(dump_config(config))
    write_json(run.environment, {**describe_environment(), "records": records.fingerprint})
    with run.lock():
        finish_training(config, task, records, run, console)
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
        UserError: the training fails, or what is in the folder is another model's.
    """
    tune_malloc()
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    try:
        task.save_vocabulary(records, run.vocabulary)
        model = _train_model(config, task, records, run, console)
        for phase in task.make_phases(model, records, run.weights):
            _train_phase(phase, task, records, run, console)
        _train_baselines(config, task, records, run, console)
        save_model(model, run.model)  # at the very end: a run with a model is finished
    except KeyboardInterrupt:
        console.print(f"Interrupted; continue with:\nrnnpipe resume {run.path}")
        raise


def _train_model(
    config: RunConfig, task: Task, records: RecordsDirectory, run: RunDirectory, console: Console
) -> keras.Model:
    """The trained model or ensemble."""
    files = TrainingFiles(run.weights, run.history, run.tensorboard)
    if task.ensemble_size == 1:
        model = task.build_model(records)
        _fit(config, task, model, records, files, console)
        return model
    models = []
    for number in range(1, task.ensemble_size + 1):
        console.print(f"Member {number} of {task.ensemble_size}:")
        seed = config.seed + number - 1
        keras.utils.set_random_seed(seed)
        model = task.build_model(records)
        _fit(config, task, model, records, files, console, seed=seed)
        models.append(model)
        folder = run.members / str(number + 1)
        files = TrainingFiles(
            folder / "best.weights.h5", folder / "history.csv", folder / "tensorboard"
        )
    return task.join(models)


def _train_baselines(
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    run: RunDirectory,
    console: Console,
) -> None:
    """Trains the baseline models and saves them."""
    for name, model in task.build_baselines(records).items():
        console.print(f"Baseline {name}:")
        folder = run.baselines
        files = TrainingFiles(
            folder / f"{name}.weights.h5", folder / f"{name}.csv", folder / "tensorboard"
        )
        _fit(config, task, model, records, files, console)
        save_model(model, folder / f"{name}.keras")


def _fit(
    config: RunConfig,
    task: Task,
    model: keras.Model,
    records: RecordsDirectory,
    files: TrainingFiles,
    console: Console,
    *,
    seed: int | None = None,
) -> None:
    """Trains a model as configured, and leaves it with its best weights.

    The order of batches follows `seed`, by default the config's.
    """
    trainer = task.build_trainer(model, records)
    callbacks = _make_callbacks(config, task, trainer, model, records, files.weights)
    monitor, mode = task.monitor()
    with make_progress(console) as progress:
        seed = config.seed if seed is None else seed
        batches = task.make_batches(records, "train", shuffle_seed=seed)
        fit_model(
            trainer,
            batches,
            task.make_batches(records, "validation"),
            epochs=config.train.epochs,
            monitor=monitor,
            mode=mode,
            patience=config.train.keep_best.patience,
            files=files,
            callbacks=[*callbacks, TrainingProgress(progress, len(batches))],
        )


def _train_phase(
    phase: Phase, task: Task, records: RecordsDirectory, run: RunDirectory, console: Console
) -> None:
    """Trains a model further, and leaves it no worse than it was on the validation split."""
    monitor, mode = task.monitor()
    start = phase.score()
    console.print(f"{phase.name}: {monitor} {start:.4g} before")
    folder = run.phases / phase.name
    files = TrainingFiles(folder / "best.weights.h5", folder / "history.csv", run.tensorboard)
    with make_progress(console) as progress:
        fit_model(
            phase.trainer,
            phase.batches,
            task.make_batches(records, "validation"),
            epochs=phase.epochs,
            monitor=monitor,
            mode=mode,
            patience=phase.patience,
            files=files,
            callbacks=[
                *phase.callbacks,
                InitialScoreLog(f"{monitor}_at_start", start),
                TrainingProgress(progress, len(phase.batches)),
            ],
            start=start,
        )


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
    return callbacks + optimizer.schedule.make_callbacks(*task.monitor())
