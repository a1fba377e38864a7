import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.training.averaging import AverageBestEpochs
from rnnpipe.training.divergence import Diverged
from rnnpipe.training.fit import KeepLastEpochs, TrainingFiles, find_batch, fit_model
from rnnpipe.training.safeguards import Safeguards


@pytest.fixture
def files(tmp_path):
    return TrainingFiles(
        tmp_path / "checkpoints" / "best.weights.h5", tmp_path / "history.csv", tmp_path / "events"
    )


def make_model(rate, loss="mse"):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(rate), loss=loss)
    return model


def batches(slope):
    x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    return tf.data.Dataset.from_tensor_slices((x, slope * x)).batch(4)


def fit(model, files, validation, train=None, **options):
    defaults = {"epochs": 12, "monitor": "val_loss", "mode": "min", "patience": 3}
    train = batches(3.0) if train is None else train
    fit_model(model, train, validation, files=files, **{**defaults, **options})


def history(files):
    with files.history.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_epoch_is_kept_and_training_stops_early(files):
    # The weight moves from 1 towards 3, so on a slope of 2 the validation first gets better.
    model = make_model(0.2)
    fit(model, files, batches(2.0))
    losses = [float(row["val_loss"]) for row in history(files)]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1
    assert len(losses) == best + 1 + 3
    assert model.evaluate(batches(2.0), verbose=0) == pytest.approx(losses[best], rel=1e-4)


def test_a_model_that_only_gets_worse_keeps_its_first_weights(files):
    model = make_model(0.2)
    model.compile(keras.optimizers.Adam(0.2), loss="mse")
    start = model.evaluate(batches(1.0), verbose=0)  # its weight is 1 already
    fit(model, files, batches(1.0), start=start)
    assert len(history(files)) == 3
    assert model.evaluate(batches(1.0), verbose=0) == pytest.approx(start, abs=1e-6)


def test_history_has_a_row_an_epoch_with_the_learning_rate(files):
    fit(make_model(0.2), files, batches(3.0), epochs=2)
    rows = history(files)
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {"loss", "val_loss", "learning_rate"} <= rows[0].keys()
    assert float(rows[0]["learning_rate"]) == pytest.approx(0.2)
    assert any(files.tensorboard.rglob("events.*"))


@pytest.mark.parametrize("patience", [1, 9])
def test_the_averaged_weights_are_evaluated_and_kept(files, patience):
    model = make_model(0.0)
    model.compile(keras.optimizers.SGD(0.2, use_ema=True, ema_momentum=0.75), loss="mse")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    fit(model, files, batches(2.6), epochs=9, patience=patience, callbacks=[swap])

    weight: Any = 1.0
    bias: Any = 0.0
    mean: Any = None
    means: list[Any] = []
    x = np.linspace(-1, 1, 8).reshape(2, 4)
    for _ in range(9):
        for half in x:
            error = weight * half + bias - 3.0 * half
            weight, bias = weight - 0.4 * np.mean(error * half), bias - 0.4 * np.mean(error)
            now = np.array([weight, bias])
            mean = now if mean is None else 0.75 * mean + 0.25 * now
        means.append(mean)
    losses = [float(np.mean((w * x + b - 2.6 * x) ** 2)) for w, b in means]
    found = [float(row["val_loss"]) for row in history(files)]
    best = int(np.argmin(losses))
    assert len(found) == min(best + 1 + patience, 9)
    np.testing.assert_allclose(found, losses[: len(found)], rtol=1e-4)
    kept = [weight.item() for weight in model.get_weights()]
    np.testing.assert_allclose(kept, means[best], rtol=1e-4)


def test_a_nan_loss_is_a_user_error(files):
    expected = r"train\.optimizer: expected a finite loss, got \w+ in step \d of epoch [12] of the "
    with pytest.raises(Diverged, match=expected) as fault:
        fit(make_model(1e30), files, batches(3.0))
    assert fault.value.kept is None
    assert "weights kept: none); lower learning_rate or clip_norm" in str(fault.value)
    assert not files.finished


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_the_step_whose_loss_is_not_finite_is_named_with_its_records_and_is_the_last(files, bad):
    x = np.arange(20, dtype="float32")[:, None] / 20
    y = np.where(np.arange(20) == 13, np.float32(bad), np.float32(3))[:, None]

    def shuffled():
        return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(20, seed=4).batch(4)

    def find_records(epochs, step):
        assert epochs == 0
        return [str(round(float(row[0]) * 20)) for row in find_batch(shuffled(), epochs, step)[0]]

    order = [round(float(row[0]) * 20) for batch, _ in shuffled() for row in batch]
    step = order.index(13) // 4 + 1
    model = make_model(0.01)
    safeguards = Safeguards(part="pretraining", find_records=find_records)
    with pytest.raises(Diverged) as fault:
        fit(model, files, batches(3.0), shuffled(), epochs=3, safeguards=safeguards)
    name = {"nan": "NaN", "inf": "infinity"}[bad]
    assert f"got {name} in step {step} of epoch 1 of the pretraining (" in str(fault.value)
    records = ", ".join(map(str, order[4 * step - 4 : 4 * step]))
    assert f"; records of its batch: {records}; weights kept: none); " in str(fault.value)
    assert int(model.optimizer.iterations) == step


@pytest.mark.parametrize("epochs", [0, 2])
def test_a_batch_is_found_again(epochs):
    def make():
        rows = tf.data.Dataset.range(12).shuffle(12, seed=1).batch(3).shuffle(4, seed=2)
        return rows.map(lambda row: (tf.cast(row[:, None], tf.float32), row[:, None]))

    seen = []

    class Model(keras.Model):
        def train_step(self, data):
            tf.py_function(lambda rows: seen.append(rows.numpy().ravel().tolist()), [data[1]], [])
            return {"loss": tf.constant(0.0)}

        def call(self, inputs):
            return inputs

    model = Model()
    model.compile(loss="mse")
    model.fit(make(), epochs=epochs + 1, verbose=0, shuffle=False)
    for step in (1, 3):
        found = find_batch(make(), epochs, step)[1].numpy().ravel().tolist()
        assert found == seen[4 * epochs + step - 1]


def assert_same_weights(model, weights):
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


class Diverge(keras.callbacks.Callback):
    """Sets the weights to NaN when an epoch begins."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch + 1 == self.epoch:
            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])


class Score(keras.callbacks.Callback):
    """A score that is higher in the epoch in which the loss is NaN."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_score"] = 0.1 if np.isfinite(logs["loss"]) else 0.9


@pytest.mark.parametrize("options", [{}, {"monitor": "val_score", "mode": "max", "patience": 9}])
@pytest.mark.parametrize("start", [None, 1e9])
def test_the_best_epoch_before_a_loss_became_nan_is_kept(files, options, start):
    model = make_model(0.2)
    if options:
        start = None
    callbacks = [Score(), Diverge(3)]
    with pytest.raises(Diverged, match="got NaN in step 1 of epoch 3 of the training") as fault:
        fit(model, files, batches(3.0), callbacks=callbacks, start=start, **options)
    losses = ", ".join(f"{float(row['loss']):.4g}" for row in history(files)[:2])
    monitor = options.get("monitor", "val_loss")
    kept = f"(losses before it: {losses}; weights kept: epoch 2 of 12, {monitor} "
    assert options or kept in str(fault.value)
    assert fault.value.kept is not None
    assert files.finished
    assert len(history(files)) == 3
    best = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in best)
    again = make_model(0.2)
    fit(again, files, batches(3.0))  # of a finished training the weights are loaded
    assert_same_weights(again, best)


def test_a_diverged_epoch_is_excluded_from_the_mean_of_the_best(files):
    model, scores = make_model(0.2), []

    def score():
        scores.append(model.get_weights())
        return 0.2

    average = AverageBestEpochs(
        3, monitor="val_score", mode="max", score=score, weights=files.weights
    )
    with pytest.raises(Diverged):
        fit(
            model,
            files,
            batches(3.0),
            monitor="val_score",
            mode="max",
            callbacks=[Score(), average, Diverge(3)],
        )
    assert all(np.isfinite(weight).all() for weight in scores[0])
    assert_same_weights(model, scores[0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the open history
def test_a_full_disk_is_reported_and_the_training_resumes(files, monkeypatch):
    whole = make_model(0.2)
    fit(whole, TrainingFiles(*(files.weights.parents[1] / n for n in WHOLE)), batches(2.0))
    save, saved = keras.Model.save_weights, []

    def save_on_a_full_disk(model, path, **options):
        saved.append(path)
        if len(saved) == 2:
            Path(path).write_bytes(b"half")
            raise OSError("errno = 28, error message = 'No space left on device'")  # as HDF5 says
        save(model, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "save_weights", save_on_a_full_disk)
        with pytest.raises(UserError, match="got a full disk"), report_full_disk("x", "y", "z"):
            fit(make_model(0.2), files, batches(2.0))
    resumed = make_model(0.2)
    fit(resumed, files, batches(2.0))
    assert_same_weights(resumed, whole.get_weights())


WHOLE = ("whole/best.weights.h5", "whole.csv", "whole_events")


def test_the_weights_of_the_last_epochs_are_kept(files, tmp_path):
    model, seen = make_model(0.2), []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights())
    )
    keep = KeepLastEpochs(2, tmp_path / "epochs")
    fit(model, files, batches(3.0), epochs=4, callbacks=[note, keep])
    paths = sorted((tmp_path / "epochs").iterdir())
    assert [path.name for path in paths] == ["0003.weights.h5", "0004.weights.h5"]
    for path, weights in zip(paths, seen[2:], strict=True):
        model.load_weights(path)
        assert_same_weights(model, weights)
