"""Training until the validation split gets no better, with its best weights kept."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from rnnpipe.errors import UserError
from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.seal import check_sealed, is_expected
from rnnpipe.training.best_weights import (
    Checkpoint,
    KeepBestWeights,
    load_weights,
    save_weights,
    write_weights,
)
from rnnpipe.training.held_signals import HeldSignals
from rnnpipe.training.state import TrainingState
from rnnpipe.training.state_files import StateFiles


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """The files of a training.

    Args:
        weights: the best weights so far.
        history: one row an epoch: losses, metrics and the learning rate.
        tensorboard: event files.
    """

    weights: Path
    history: Path
    tensorboard: Path

    @property
    def states(self) -> StateFiles:
        """The states to resume from; deleted at the end."""
        name = self.weights.name.removesuffix(".weights.h5")
        return StateFiles(self.weights.with_name(f"{name}.states"))

    @property
    def finished(self) -> bool:
        """Whether a training has come to its end here."""
        return is_expected(self.weights) and not self.states.find()


class Diverged(UserError):
    """The loss became NaN or infinite.

    Args:
        epoch: in which epoch; or the whole text.
        kept: whether there were epochs before: the model has the weights of the best one.
        step: in which step of the epoch, from 1; None where that is not known any more.
    """

    def __init__(self, epoch: int | str, kept: bool = False, step: int | None = None) -> None:
        where = "" if step is None else f", in step {step:,}"
        got = f"NaN in epoch {epoch} of the training{where}"
        fix = "lower learning_rate or clip_norm"
        if isinstance(epoch, str):
            super().__init__(epoch)
        else:
            super().__init__("train.optimizer", "a finite loss", got, fix)
        self.epoch, self.kept, self.step = epoch, kept, step


class StopAtDivergence(keras.callbacks.Callback):
    """Ends a training with the step whose loss is not finite, and notes which one it is."""

    step: int | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the mean of the losses of the epoch so far, which such a loss makes NaN too."""
        if self.step is None and not math.isfinite((logs or {}).get("loss", 0.0)):
            self.step = batch + 1
            self.model.stop_training = True


class IgnoreDivergedEpoch(keras.callbacks.Callback):
    """Takes the score from an epoch whose loss is not finite, so that no weights are kept for it.

    The labels that NaN gives may be right by chance more often than those of any epoch before.

    Args:
        monitor: the quantity by which weights are kept.
    """

    def __init__(self, monitor: str) -> None:
        super().__init__()
        self._monitor = monitor

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Replaces the score by NaN, which is never the best."""
        if logs is not None and not math.isfinite(logs["loss"]):
            logs[self._monitor] = math.nan


class KeepLastEpochs(keras.callbacks.Callback):
    """Keeps the weights of the last epochs, e.g. to average them by hand.

    Args:
        count: of how many epochs.
        folder: of the files `<epoch>.weights.h5`.
    """

    def __init__(self, count: int, folder: Path) -> None:
        super().__init__()
        self._count, self._folder = count, folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the weights, and removes those of an earlier epoch."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._folder / f"{epoch + 1:04}.weights.h5") as unfinished:
            write_weights(self.model, unfinished)
        for path in sorted(self._folder.glob("*.weights.h5"))[: -self._count]:
            path.unlink()


class LearningRateLog(keras.callbacks.Callback):
    """Adds the optimizer's current learning rate to the logs of every epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds `learning_rate`; callbacks after this one see it."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def fit_model(
    model: keras.Model,
    train: Any,
    validation: Any,
    *,
    epochs: int,
    monitor: str,
    mode: Literal["min", "max"],
    patience: int,
    files: TrainingFiles,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    patience_from: int = 0,
    start: float | None = None,
    checkpoint: CheckpointOptions | None = None,
    notify: Callable[[str], None] = warnings.warn,
) -> None:
    """Trains a compiled model and leaves it with the weights of its best epoch.

    Where the files are those of a training that was interrupted, it goes on from the last state
    that was written, and ends as it would have; of a finished one the weights are loaded. Model,
    batches and callbacks must be made as they were at first. SIGINT and SIGTERM wait for the end of
    the step, whose state is written.

    Args:
        model: a compiled model, built or with a `build` that needs no shape.
        train: batches to learn from.
        validation: batches to judge by.
        epochs: how often to go through `train` at most.
        monitor: the quantity by which epochs are compared, e.g. `val_loss`.
        mode: whether less or more of it is better.
        patience: how many epochs without a better one end the training.
        files: where weights, history and event files go.
        callbacks: more callbacks, e.g. to show progress. What they add to the logs of an epoch may
            be its `monitor`, and is in the history.
        patience_from: how many epochs go by before `patience` counts.
        start: the `monitor` of a model that is trained already: its weights are kept if no epoch is
            better.
        checkpoint: how often the state is written; by default the default of that setting.
        notify: is told of states that are damaged.

    Raises:
        Diverged: the loss became NaN. Where there were epochs before, the training is finished
            nevertheless, with the weights of the best one.
        UserError: the files are those of another model, damaged or missing.
    """
    _build(model)
    if files.finished:
        load_weights(model, files.weights)
        return
    with HeldSignals() as signals:
        state = TrainingState(files.states, checkpoint or CheckpointOptions(), signals, notify)
        _begin(model, train, validation, files, state)
        if start is not None and not state.epochs:
            save_weights(model, files.weights, Checkpoint((), epochs, monitor, start))
        log, divergence = keras.callbacks.CSVLogger(files.history), StopAtDivergence()
        watching = [
            divergence,
            LearningRateLog(),
            *callbacks,
            IgnoreDivergedEpoch(monitor),
            KeepBestWeights(
                files.weights, monitor=monitor, mode=mode, best=state.best(monitor, mode, start)
            ),
            keras.callbacks.EarlyStopping(
                monitor,
                mode=mode,
                patience=patience,
                baseline=start,
                start_from_epoch=patience_from,
            ),
            log,
            keras.callbacks.TensorBoard(files.tensorboard, write_graph=False),
        ]
        state.follow(watching)
        try:
            model.fit(
                train,
                validation_data=validation,
                initial_epoch=state.epochs,
                epochs=epochs,
                verbose=0,
                shuffle=False,  # `train` has its own order
                callbacks=[*watching, state],
            )
        finally:
            log.on_train_end()  # it closes its file, which Keras forgets when an epoch fails
    _finish(model, files, state, divergence.step)


def _build(model: keras.Model) -> None:
    """Makes all variables: the first step would, but files of weights and states come before."""
    if not model.built:
        model.build()
    model.optimizer.build(model.trainable_variables)


def _begin(
    model: keras.Model, train: Any, validation: Any, files: TrainingFiles, state: TrainingState
) -> None:
    """Brings files and batches to where the training goes on."""
    if is_expected(files.weights):
        check_sealed(files.weights)  # they are read at the end, hours from now
    if not state.resumed:
        state.save(model)  # before there are weights, which alone mean that it is finished
    if state.steps:
        model.evaluate(validation, steps=1, verbose=0)  # it makes the variables of metrics
    _skip_passes(train, state.epochs)


def _finish(
    model: keras.Model, files: TrainingFiles, state: TrainingState, diverged: int | None
) -> None:
    """Loads the weights of the best epoch; raises `Diverged` if the loss of one was NaN."""
    kept, finite = is_expected(files.weights), all(math.isfinite(log["loss"]) for log in state.logs)
    if kept:
        load_weights(model, files.weights)
        state.forget()
    if not (kept and finite):
        raise Diverged(state.epochs, kept, diverged)


def _skip_passes(batches: Any, epochs: int) -> None:
    """Brings a data set of TensorFlow to the order that it has after as many epochs.

    Its last shuffle draws an order when an iterator is made, those before it when the iterator is
    read. Keras makes two iterators per epoch and reads one of them.
    """
    for _ in range(epochs):
        next(iter(batches))
        iter(batches)
