"""The state of a running training, from which an interrupted one goes on."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import keras
import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.parts.scaled_schedule import find_schedule
from rnnpipe.training.held_signals import HeldSignals
from rnnpipe.training.state_files import Array, StateFiles

_PROGRESS = "progress"
_REPLAYED = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.CSVLogger,  # whose file may have a row too many, or too few
)


@runtime_checkable
class KeepsArrays(Protocol):
    """A callback that needs more of past epochs than their logs."""

    def get_arrays(self) -> Mapping[str, Array]:
        """What it holds, by name."""

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Takes what `get_arrays` gave."""


@dataclass
class Progress:
    """How far a training is.

    Args:
        logs: losses and metrics of each epoch that is done.
        steps: how many steps of the next epoch are done.
        step_logs: losses and metrics of these steps.
        rollbacks: how often it went back, as a loss was not finite.
    """

    logs: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    step_logs: dict[str, float] = field(default_factory=dict)
    rollbacks: int = 0


class TrainingState(keras.callbacks.Callback):
    """Keeps, when an epoch begins and within it, all that the training from there on depends on.

    That is the model's variables, those of dropout's random numbers among them, the optimizer's,
    the running means of losses and metrics, the logs of the epochs so far and what callbacks hold.
    A training that was interrupted ends as it would have without interruption. The order of the
    batches is no part of it; those of the steps that are done are read again, and callbacks see
    these steps go by with the logs of the last one.

    It comes last among the callbacks, after those that exchange weights when an epoch begins.

    Args:
        files: where states are. There is one from the begin of the training until `forget`.
        options: how often they are written.
        signals: those that end the training once the state of the step is written.
        notify: is told of damaged files.

    Raises:
        UserError: all states are damaged or missing, or the last one is none of this model's.
    """

    def __init__(
        self,
        files: StateFiles,
        options: CheckpointOptions,
        signals: HeldSignals,
        notify: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._files, self._options, self._signals = files, options, signals
        self._notify = notify
        self._callbacks: Sequence[keras.callbacks.Callback] = ()
        kept = files.read(_PROGRESS, Progress, notify)
        self.resumed = kept is not None
        self._kept, self._progress = kept or ({}, Progress())
        self._saved_steps, self._saved_at = self._progress.steps, time.monotonic()

    @property
    def logs(self) -> list[dict[str, float]]:
        """Losses and metrics of the epochs that are done."""
        return self._progress.logs

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.logs)

    @property
    def steps(self) -> int:
        """How many steps of the next epoch are done."""
        return self._progress.steps

    @property
    def rollbacks(self) -> int:
        """How often the training went back."""
        return self._progress.rollbacks

    def best(self, monitor: str, mode: Literal["min", "max"], start: float | None = None) -> float:
        """The best value of a quantity so far, `start` included; infinitely bad without any."""
        values = [logs[monitor] for logs in self.logs if not math.isnan(logs[monitor])]
        if start is not None:
            values.append(start)
        return min(values, default=math.inf) if mode == "min" else max(values, default=-math.inf)

    def follow(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Keeps what these callbacks hold, too.

        Those of Keras that count epochs without a better one, or write the history, are shown the
        logs of past ones anew.
        """
        self._callbacks = callbacks

    def save(self, model: keras.Model) -> None:
        """Writes the state, wholly or not at all, and seals it."""
        variables = _variables(model, running=self.steps > 0)
        arrays = {name: _to_numpy(variable) for name, variable in variables}
        for number, callback in enumerate(self._callbacks):
            if isinstance(callback, KeepsArrays):
                held = callback.get_arrays()
                arrays |= {f"callback/{number}/{name}": array for name, array in held.items()}
        self._write(arrays)

    def _write(self, arrays: Mapping[str, Array]) -> None:
        progress = {_PROGRESS: np.array(json.dumps(asdict(self._progress)))}
        self._files.write(self.epochs, self.steps, {**progress, **arrays}, self._options.keep)
        self._saved_steps, self._saved_at = self.steps, time.monotonic()

    def roll_back(self, factor: float) -> bool:
        """Goes back to the last state whose weights are finite, for a training that is resumed.

        Args:
            factor: what its learning rate is multiplied by, where that is a variable.

        Returns:
            Whether there is such a state; later ones are removed.
        """
        count = self.rollbacks + 1
        while (kept := self._files.read(_PROGRESS, Progress, self._notify)) is not None:
            self._kept, self._progress = kept
            if all(np.isfinite(a).all() for n, a in self._kept.items() if n.startswith("model/")):
                break
            self._files.remove_last()
        else:
            return False
        self._restore()
        optimizer = self.model.optimizer
        if find_schedule(optimizer) is None:
            optimizer.learning_rate = float(optimizer.learning_rate) * factor
        self._progress.rollbacks = count
        variables = _variables(self.model, running=self.steps > 0)
        self._write({**self._kept, **{name: _to_numpy(variable) for name, variable in variables}})
        return True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Brings model, optimizer and callbacks to where they were."""
        if not self._kept:
            return
        self._check()
        for number, callback in enumerate(self._callbacks):
            if isinstance(callback, _REPLAYED):
                for epoch, past in enumerate(self.logs):
                    callback.on_epoch_end(epoch, dict(past))
            elif isinstance(callback, KeepsArrays):
                start = f"callback/{number}/"
                held = {name: self._kept[name] for name in self._kept if name.startswith(start)}
                callback.set_arrays({name.removeprefix(start): held[name] for name in held})
        self._restore()  # after the callbacks, which lower the learning rate as they did

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the state of this moment, or goes on in the midst of the epoch."""
        if self._kept and self._progress.steps:
            self._restore()  # after the callbacks, and Keras, which has reset the metrics
            self._skip_steps()
        else:
            self.save(self.model)
        self._kept = {}
        self._signals.hold()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the state of this moment, if it is time or a signal ends the training."""
        logs, steps = logs or {}, batch + 1
        if steps > self._progress.steps and math.isfinite(logs.get("loss", 0.0)):
            self._progress.steps = steps
            if self._signals.received is not None or self._is_due():
                self._progress.step_logs = _as_numbers(logs)
                self.save(self.model)
        self._signals.deliver()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Lets signals through: the state of a validation is not kept."""
        self._signals.release()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch's losses and metrics."""
        self._signals.release()
        self.logs.append(_as_numbers(logs or {}))
        self._progress.steps, self._progress.step_logs = 0, {}

    def _is_due(self) -> bool:
        minutes, steps = self._options.every_minutes, self._options.every_steps
        return (steps is not None and self._progress.steps - self._saved_steps >= steps) or (
            minutes is not None and time.monotonic() - self._saved_at >= 60 * minutes
        )

    def _check(self) -> None:
        variables = dict(_variables(self.model, running=self.steps > 0))
        if {name: variable.shape for name, variable in variables.items()} != {
            name: array.shape
            for name, array in self._kept.items()
            if not name.startswith("callback/")
        }:
            raise UserError(
                str(self._files.folder),
                "the variables of this model",
                "those of another",
                "it was trained by another version; train anew",
            )

    def _restore(self) -> None:
        for name, variable in _variables(self.model, running=self.steps > 0):
            variable.assign(self._kept[name])

    def _skip_steps(self) -> None:
        """Has Keras read the batches of the steps that are done, and nothing else."""
        step, left = self.model.train_function, self._progress.steps

        def skip(batches: Iterator[Any]) -> dict[str, float]:
            nonlocal left
            next(batches)
            left -= 1
            if not left:
                self.model.train_function = step
            return dict(self._progress.step_logs)

        self.model.train_function = skip


def _to_numpy(variable: Any) -> Array:
    array: Array = keras.ops.convert_to_numpy(variable)
    return array


def _as_numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}


def _variables(model: keras.Model, *, running: bool) -> Iterator[tuple[str, Any]]:
    """By part and number; the optimizer's are made if it has taken no step yet.

    Args:
        model: a model that is trained.
        running: whether those of its metrics are among them, which an epoch resets.
    """
    model.optimizer.build(model.trainable_variables)
    parts = {"model": model.variables, "optimizer": model.optimizer.variables}
    if running:
        parts["metrics"] = [variable for metric in model.metrics for variable in metric.variables]
    for part, variables in parts.items():
        for number, variable in enumerate(variables):
            yield f"{part}/{number}", variable
