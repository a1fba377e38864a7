"""The file of the best weights of a training, which names the epoch that they are of."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import h5py  # Keras writes weights with it
import keras

from rnnpipe.storage.disk_full import check_room
from rnnpipe.storage.seal import copy_sealed, sealed_path

_ATTRIBUTE = "checkpoint"
_ITEM_BYTES, _GROUP_BYTES = 4, 4096  # of a number; of what HDF5 writes around a variable


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The epoch of a training whose weights are in a file.

    Args:
        epochs: its number, from 1; those of several, of whose weights these are the mean; none for
            the weights before the first epoch.
        of: how many epochs the training has at most.
        metric: the quantity by which epochs are compared, e.g. `val_loss`.
        value: its value with these weights.

    Example:
        >>> str(Checkpoint((4,), 20, "val_accuracy", 0.8125))
        'epoch 4 of 20, val_accuracy 0.8125'
    """

    epochs: tuple[int, ...]
    of: int
    metric: str
    value: float

    def __str__(self) -> str:
        score = f"{self.metric} {self.value:.4g}"
        if not self.epochs:
            return f"before epoch 1 of {self.of}, {score}"
        *first, last = map(str, self.epochs)
        if first:
            return f"the mean of epochs {', '.join(first)} and {last} of {self.of}, {score}"
        return f"epoch {last} of {self.of}, {score}"


def save_weights(model: keras.Model, path: Path, checkpoint: Checkpoint) -> None:
    """Writes weights and the epoch that they are of to one file, wholly or not at all, sealed.

    Another process may read the file at any time; a file of its own with the epoch would at times
    be of another epoch than the weights.

    Args:
        model: a built model.
        path: `….weights.h5`, whose folder may be missing.
        checkpoint: the epoch.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with sealed_path(path) as unfinished:
        write_weights(model, unfinished)
        with h5py.File(unfinished, "r+") as file:
            file.attrs[_ATTRIBUTE] = json.dumps(asdict(checkpoint))


def write_weights(model: keras.Model, path: Path) -> None:
    """Writes weights as `keras.Model.save_weights`, where there is room for them.

    On a full disk h5py prints a traceback for each variable, and none is an exception.

    Raises:
        OSError: there is no room.
    """
    sizes = (math.prod(variable.shape) for variable in model.variables)
    check_room(path.parent, sum(_ITEM_BYTES * size + _GROUP_BYTES for size in sizes))
    model.save_weights(path)


def load_weights(model: keras.Model, path: Path) -> Checkpoint:
    """Loads what `save_weights` wrote, also while a training goes on to write there.

    Args:
        model: a built model like the one saved.
        path: the file.

    Returns:
        The epoch that the weights are of.

    Raises:
        UserError: the file is missing, damaged or of another training.
    """
    # Of a copy: the file may be replaced between two readings, and HDF5 locks what it reads.
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy_sealed(path, copy)
        with h5py.File(copy) as file:
            content = json.loads(file.attrs[_ATTRIBUTE])
        model.load_weights(copy)
    return Checkpoint(**{**content, "epochs": tuple(content["epochs"])})


class KeepBestWeights(keras.callbacks.Callback):
    """Writes the weights of an epoch that is better than all before.

    Unlike `keras.callbacks.ModelCheckpoint` it never has half a file at its path.

    Args:
        path: the file.
        monitor: the quantity in the logs by which epochs are compared; NaN is never the best.
        mode: whether less or more of it is better.
        best: its best value so far.
    """

    def __init__(
        self, path: Path, *, monitor: str, mode: Literal["min", "max"], best: float
    ) -> None:
        super().__init__()
        self._path, self._monitor, self._best = path, monitor, best
        self._sign = 1 if mode == "max" else -1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares the epoch, and writes its weights."""
        value = float((logs or {})[self._monitor])
        if self._sign * value > self._sign * self._best:
            self._best = value
            of = self.params["epochs"]
            checkpoint = Checkpoint((epoch + 1,), of, self._monitor, value)
            save_weights(self.model, self._path, checkpoint)
