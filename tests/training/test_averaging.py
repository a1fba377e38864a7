import json

import keras
import numpy as np
import pytest

from rnnpipe.training.averaging import AverageBestEpochs


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    return model


def train(model, path, values, mean_value, *, count=2, mode="max"):
    """Epochs whose weights are all their number and that have these values."""
    callback = AverageBestEpochs(
        count, monitor="val_x", mode=mode, score=lambda: mean_value, weights=path
    )
    callback.set_model(model)
    callback.set_params({"epochs": 9})
    for epoch, value in enumerate(values):
        model.set_weights([np.full_like(weight, epoch + 1) for weight in model.get_weights()])
        callback.on_epoch_end(epoch, {"val_x": value})
    callback.on_train_end()
    record = path.with_name("averaged.json")
    return json.loads(record.read_text()) if record.exists() else None


def test_the_mean_of_the_best_epochs_is_kept(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    record = train(model, path, [1, 7, 2, 9, 8], mean_value=10)
    assert record == {"epochs": [4, 5], "val_x": 10}
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(path)
    for weight in model.get_weights():
        np.testing.assert_array_equal(weight, 4.5)


def test_the_monitor_can_be_minimized(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    record = train(model, path, [1, 7, 2, 9], mean_value=0.5, mode="min")
    assert record == {"epochs": [1, 3], "val_x": 0.5}


def test_averaged_weights_that_are_no_better_are_dropped(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    assert train(model, path, [1, 7, 9], mean_value=9) is None
    assert not path.exists()


def test_a_single_epoch_is_not_averaged(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    assert train(model, path, [3], mean_value=99) is None
    assert not path.exists()
