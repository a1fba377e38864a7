"""Training until the validation split gets no better, with its best weights kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from rnnpipe.errors import UserError


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """Where a training leaves its traces.

    Args:
        weights: the best weights so far.
        history: one row an epoch: losses, metrics and the learning rate.
        tensorboard: event files.
    """

    weights: Path
    history: Path
    tensorboard: Path


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
    start: float | None = None,
) -> None:
    """Trains a compiled model and leaves it with the weights of its best epoch.

    Args:
        model: a compiled model.
        train: batches to learn from.
        validation: batches to judge by.
        epochs: how often to go through `train` at most.
        monitor: the quantity that says which epoch is best, e.g. `val_loss`.
        mode: whether less or more of it is better.
        patience: how many epochs without a better one end the training.
        files: where weights, history and event files go.
        callbacks: more callbacks, e.g. to show progress. What they add to the logs of an epoch may
            be its `monitor`, and stands in the history.
        start: the `monitor` of a model that is trained already: its weights are kept if no epoch is
            better.

    Raises:
        UserError: the loss is no number any more.
    """
    files.weights.parent.mkdir(parents=True, exist_ok=True)
    if start is not None:
        # The file holds the optimizer's variables too, which are made by the first step otherwise.
        model.optimizer.build(model.trainable_variables)
        model.save_weights(files.weights)
    history = model.fit(
        train,
        validation_data=validation,
        epochs=epochs,
        verbose=0,
        shuffle=False,  # `train` has its own order
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            LearningRateLog(),
            *callbacks,
            keras.callbacks.ModelCheckpoint(
                files.weights,
                monitor=monitor,
                mode=mode,
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=start,
            ),
            keras.callbacks.EarlyStopping(
                monitor=monitor, mode=mode, patience=patience, baseline=start
            ),
            keras.callbacks.CSVLogger(files.history),
            keras.callbacks.TensorBoard(files.tensorboard, write_graph=False),
        ],
    )
    losses = history.history.get("loss", [])
    if not all(map(math.isfinite, losses)) or not files.weights.exists():
        raise UserError(
            "train.optimizer",
            "a loss that is a number",
            f"one that is not, in epoch {len(losses)} of the training",
            "lower learning_rate or clip_norm",
        )
    model.load_weights(files.weights)
