"""Training until the validation split gets no better, with its best weights kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from rnnpipe.errors import UserError
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.seal import check_sealed, is_expected
from rnnpipe.training.best_weights import (
    Checkpoint,
    KeepBestWeights,
    load_weights,
    save_weights,
    write_weights,
)
from rnnpipe.training.divergence import (
    Diverged,
    Divergence,
    IgnoreDivergedEpoch,
    StepDiverged,
    StopAtDivergence,
)
from rnnpipe.training.held_signals import HeldSignals
from rnnpipe.training.safeguards import DEFAULT_SAFEGUARDS, Safeguards
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
    safeguards: Safeguards = DEFAULT_SAFEGUARDS,
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
        safeguards: what protects it.

    Raises:
        Diverged: the loss became NaN or infinite. Where there were epochs before, the training is
            finished nevertheless, with the weights of the best one.
        RolledBack: the same, and it is to be called again, with all made anew: the training goes on
            from its last good state, with a lower rate.
        UserError: the files are those of another model, damaged or missing, or no epoch had a
            number of `monitor`.
    """
    _build(model)
    if files.finished:
        load_weights(model, files.weights)
        return
    with HeldSignals() as signals:
        state = TrainingState(files.states, safeguards.checkpoint, signals, safeguards.notify)
        _begin(model, train, validation, files, state)
        if start is not None and not state.epochs:
            save_weights(model, files.weights, Checkpoint((), epochs, monitor, start))
        divergence = StopAtDivergence(state.logs, at_once=safeguards.goes_back(state.rollbacks))
        log = keras.callbacks.CSVLogger(files.history)
        compared: dict[str, Any] = {"monitor": monitor, "mode": mode}
        watching = [
            divergence,
            LearningRateLog(),
            *safeguards.prepare(model, state.rollbacks),
            *callbacks,
            IgnoreDivergedEpoch(monitor),
            KeepBestWeights(files.weights, best=state.best(monitor, mode, start), **compared),
            keras.callbacks.EarlyStopping(
                patience=patience, baseline=start, start_from_epoch=patience_from, **compared
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
        except StepDiverged:
            safeguards.roll_back(state, divergence.found)
        finally:
            log.on_train_end()  # it closes its file, which Keras forgets when an epoch fails
    _finish(model, files, monitor, divergence.found, safeguards)


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
    model: keras.Model,
    files: TrainingFiles,
    monitor: str,
    found: Divergence | None,
    safeguards: Safeguards,
) -> None:
    """Loads the weights of the best epoch; raises `Diverged` if a loss was not finite."""
    kept = load_weights(model, files.weights) if is_expected(files.weights) else None
    if kept is not None:
        files.states.forget()
    if found is not None:
        records = safeguards.find_records(found.epoch - 1, found.step)
        raise Diverged(found, safeguards.part, records, kept)
    if kept is None:
        expected, got = f"a number of {monitor} after an epoch", "none"
        raise UserError("train.keep_best.metric", expected, got, "choose another metric")


def find_batch(batches: Any, epochs: int, step: int) -> Any:
    """A batch of a training, read again.

    Args:
        batches: of the training, made anew.
        epochs: how many epochs come before that of the batch.
        step: its number in the epoch, from 1.
    """
    _skip_passes(batches, epochs)
    return next(iter(batches.skip(step - 1)))


def _skip_passes(batches: Any, epochs: int) -> None:
    """Brings a data set of TensorFlow to the order that it has after as many epochs.

    Its last shuffle draws an order when an iterator is made, those before it when the iterator is
    read. Keras makes two iterators per epoch and reads one of them.
    """
    for _ in range(epochs):
        next(iter(batches))
        iter(batches)
