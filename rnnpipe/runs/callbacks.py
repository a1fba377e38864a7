"""The callbacks of a run's trainings: progress on the terminal, and those of config and task."""

from pathlib import Path
from typing import Any

import keras
from rich.progress import Progress

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.progress import LogLines
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.training.fit import KeepLastEpochs


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


def make_callbacks(
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
