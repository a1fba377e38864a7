"""The state of a running training, from which an interrupted one goes on."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import keras
import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.storage.arrays import read_sealed_arrays
from rnnpipe.storage.seal import is_expected, remove_sealed, sealed_path

Array = np.ndarray[Any, np.dtype[Any]]

_PARTS = ("model", "optimizer")
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


class TrainingState(keras.callbacks.Callback):
    """Keeps, when an epoch begins, all that the training from there on depends on.

    That is the model's variables, those of dropout's random numbers among them, the optimizer's,
    the logs of the epochs so far and what callbacks hold. An epoch that was interrupted is done
    again from its beginning, so that the training ends as it would have without interruption. The
    order of the batches is no part of it.

    It comes last among the callbacks, after those that exchange weights when an epoch begins.

    Args:
        path: the file. It is there from the begin of the training until `forget`.

    Raises:
        UserError: the file is missing, damaged or none of this model's.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._callbacks: Sequence[keras.callbacks.Callback] = ()
        self._kept: dict[str, Array] = {}
        self.logs: list[dict[str, float]] = []
        if is_expected(path):
            self._kept, self.logs = read_sealed_arrays(path, "logs", list[dict[str, float]])

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.logs)

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
        self._path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {"logs": np.array(json.dumps(self.logs))}
        for name, variable in _variables(model).items():
            arrays[name] = keras.ops.convert_to_numpy(variable)
        for number, callback in enumerate(self._callbacks):
            if isinstance(callback, KeepsArrays):
                held = callback.get_arrays()
                arrays |= {f"callback/{number}/{name}": array for name, array in held.items()}
        with sealed_path(self._path) as unfinished:
            np.savez(unfinished, **arrays)

    def forget(self) -> None:
        """The training is done."""
        remove_sealed(self._path)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Brings model, optimizer and callbacks to where they were."""
        if not self._kept:
            return
        variables = _variables(self.model)
        if {name: variable.shape for name, variable in variables.items()} != {
            name: array.shape for name, array in self._kept.items() if name.startswith(_PARTS)
        }:
            raise UserError(
                str(self._path),
                "the variables of this model",
                "those of another",
                "it was trained by another version; train anew",
            )
        for number, callback in enumerate(self._callbacks):
            if isinstance(callback, _REPLAYED):
                for epoch, past in enumerate(self.logs):
                    callback.on_epoch_end(epoch, dict(past))
            elif isinstance(callback, KeepsArrays):
                start = f"callback/{number}/"
                held = {name: self._kept[name] for name in self._kept if name.startswith(start)}
                callback.set_arrays({name.removeprefix(start): held[name] for name in held})
        # After the callbacks, which lower the learning rate as they did.
        for name, variable in variables.items():
            variable.assign(self._kept[name])
        self._kept = {}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the state of this moment."""
        self.save(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch's losses and metrics."""
        self.logs.append({name: float(value) for name, value in (logs or {}).items()})


def _variables(model: keras.Model) -> dict[str, Any]:
    """By part and number; the optimizer's are made if it has taken no step yet."""
    model.optimizer.build(model.trainable_variables)
    parts = dict(zip(_PARTS, (model.variables, model.optimizer.variables), strict=True))
    return {
        f"{part}/{number}": variable
        for part, variables in parts.items()
        for number, variable in enumerate(variables)
    }
