"""Trainings whose loss is not finite at a high rate, and which go back with a lower one."""

import csv
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.parts.rollback import RollbackOptions
from rnnpipe.training.divergence import Diverged, RolledBack
from rnnpipe.training.fit import TrainingFiles, fit_model
from rnnpipe.training.safeguards import Safeguards

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

X = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
Y = np.tanh(X @ np.array([[1.0], [-2.0], [0.5]], "float32"))
STEPS = 6
HALVED = keras.optimizers.schedules.PiecewiseConstantDecay([STEPS], [0.1, 0.05])


class Spoil(keras.callbacks.Callback):
    """Sets the weights to NaN before or after a step of an epoch, at a rate above a limit."""

    def __init__(self, epoch, step, *, limit=0.0, after=False):
        super().__init__()
        self.at, self.limit, self.after, self.epoch = (epoch, step), limit, after, None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if not self.after:
            self.spoil(batch)

    def on_train_batch_end(self, batch, logs=None):
        if self.after:
            self.spoil(batch)

    def spoil(self, batch):
        above = float(self.model.optimizer.learning_rate) > self.limit
        if (self.epoch, batch) == self.at and above:
            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])


class Stop(keras.callbacks.Callback):
    """Sends a signal in a step of an epoch that was rolled back."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at, self.epoch = (epoch, step), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            signal.raise_signal(signal.SIGINT)


def train(folder, more, *, rate=0.1, every_steps=2, times=2, notes=None):
    """Trains until it neither goes back nor is stopped; returns the weights and the history."""
    stops = [part for part in more if isinstance(part, Stop)]
    rest = [part for part in more if not isinstance(part, Stop)]
    notes = [] if notes is None else notes
    while True:
        keras.utils.set_random_seed(0)
        kernel = keras.initializers.GlorotUniform(seed=3)
        layers = [keras.layers.Dense(4, "tanh", kernel_initializer=kernel)]
        layers += [keras.layers.Dropout(0.3, seed=3), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile(keras.optimizers.SGD(rate, momentum=0.5), loss="mse")
        data = tf.data.Dataset.from_tensor_slices((X, Y))
        safeguards = Safeguards(
            CheckpointOptions(every_steps=every_steps, keep=4),
            RollbackOptions(factor=0.5, times=times),
            find_records=lambda epochs, step: [f"{epochs}/{step}"],
            notify=notes.append,
        )
        try:
            fit_model(
                model,
                data.shuffle(24, seed=5).batch(4),
                data.batch(8),
                epochs=4,
                monitor="val_loss",
                mode="min",
                patience=4,
                files=TrainingFiles(
                    folder / "best.weights.h5", folder / "history.csv", folder / "events"
                ),
                callbacks=[*rest, *stops[:1]],
                safeguards=safeguards,
            )
        except RolledBack:
            continue
        except KeyboardInterrupt:
            stops.pop(0)
            continue
        with (folder / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return model.get_weights(), rows


def column(rows, name):
    return [round(float(row[name]), 6) for row in rows]


@pytest.mark.parametrize("rate", [0.1, HALVED], ids=["rate", "schedule"])
def test_a_training_goes_back_with_a_lower_rate(tmp_path, rate):
    notes = []
    limit = 0.06 if rate == 0.1 else 0.03
    spoil = Spoil(1, 3, limit=limit)
    weights, rows = train(tmp_path / "whole", [spoil], rate=rate, notes=notes)
    (note,) = notes
    assert note.startswith("NaN in step 4 of epoch 2 of the training (losses before it: ")
    assert note.endswith(
        "; records of its batch: 1/4); on behind step 2 of epoch 2 with 0.5 of the learning rate"
    )
    assert column(rows, "rollbacks") == [0, 1, 1, 1]
    lower = 0.05 if rate == 0.1 else 0.025
    assert column(rows, "learning_rate") == [0.1, *3 * [lower]]
    assert np.isfinite(column(rows, "loss")).all()
    stops = [Stop(1, 1), Stop(1, 5), Stop(3, 2)]
    found, its_rows = train(tmp_path / "broken", [spoil, *stops], rate=rate)
    assert column(its_rows, "loss") == column(rows, "loss")
    for ours, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_goes_back_behind_states_whose_weights_are_not_finite(tmp_path):
    notes = []
    _, rows = train(tmp_path, [Spoil(1, 3, limit=0.06, after=True)], notes=notes)
    (note,) = notes
    assert note.startswith("NaN in step 5 of epoch 2 ")
    assert "; on behind step 2 of epoch 2 with " in note
    assert column(rows, "rollbacks") == [0, 1, 1, 1]


def test_it_goes_back_so_often_and_then_ends_with_its_best_weights(tmp_path):
    notes = []
    with pytest.raises(
        Diverged, match=r"NaN in step 1 of epoch 3 .*kept: epoch [12] of 4"
    ) as fault:
        train(tmp_path, [Spoil(2, 0)], notes=notes)
    assert len(notes) == 2
    assert fault.value.kept is not None
