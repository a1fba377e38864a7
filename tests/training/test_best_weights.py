import gc
import math
import resource

import h5py
import keras
import numpy as np
import pytest

from rnnpipe.training.best_weights import Checkpoint, KeepBestWeights, load_weights, save_weights


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def set_weights(model, value):
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])


def is_filled(model, value):
    return all((weight == value).all() for weight in model.get_weights())


@pytest.mark.parametrize(
    ("epochs", "text"),
    [
        ((4,), "epoch 4 of 20, val_loss 0.25"),
        ((3, 5, 9), "the mean of epochs 3, 5 and 9 of 20, val_loss 0.25"),
        ((), "before epoch 1 of 20, val_loss 0.25"),
    ],
)
def test_a_checkpoint_is_described(epochs, text):
    assert str(Checkpoint(epochs, 20, "val_loss", 0.25)) == text


def test_without_room_nothing_is_written_and_nothing_is_printed(model, tmp_path, capfd):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as fault:
            save_weights(model, tmp_path / "a.weights.h5", Checkpoint((), 1, "val_loss", 0.5))
        del fault
        gc.collect()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_file_has_weights_and_their_epoch(model, tmp_path):
    checkpoint = Checkpoint((2, 3), 5, "val_loss", 0.1 + 0.2)
    set_weights(model, 7)
    save_weights(model, tmp_path / "new" / "best.weights.h5", checkpoint)
    set_weights(model, 0)
    assert load_weights(model, tmp_path / "new" / "best.weights.h5") == checkpoint
    assert is_filled(model, 7)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["best.weights.h5"]


@pytest.mark.parametrize(
    ("mode", "values", "kept"),
    [
        ("max", [1, 3, 2, 3, 4], [1, 2, 2, 2, 5]),
        ("min", [3, math.nan, 2, 2, 1], [1, 1, 3, 3, 5]),
    ],
)
def test_only_a_better_epoch_is_written(mode, values, kept, model, tmp_path):
    path = tmp_path / "best.weights.h5"
    best = -math.inf if mode == "max" else math.inf
    callback = KeepBestWeights(path, monitor="val_x", mode=mode, best=best)
    callback.set_model(model)
    callback.set_params({"epochs": 6})
    for epoch, (value, number) in enumerate(zip(values, kept, strict=True)):
        set_weights(model, epoch + 1)
        callback.on_epoch_end(epoch, {"val_x": value})
        checkpoint = load_weights(model, path)
        assert checkpoint == Checkpoint((number,), 6, "val_x", values[number - 1])
        assert is_filled(model, number)


def test_an_epoch_no_better_than_one_before_is_not_written(model, tmp_path):
    callback = KeepBestWeights(tmp_path / "b.weights.h5", monitor="val_x", mode="max", best=2.0)
    callback.set_model(model)
    callback.set_params({"epochs": 6})
    callback.on_epoch_end(0, {"val_x": 2.0})
    assert not list(tmp_path.iterdir())


def test_who_reads_the_file_does_not_hinder_the_next_epoch(model, tmp_path):
    path = tmp_path / "best.weights.h5"
    save_weights(model, path, Checkpoint((1,), 2, "val_x", 1.0))
    with h5py.File(path) as file:  # a lock on what it reads
        save_weights(model, path, Checkpoint((2,), 2, "val_x", 2.0))
        assert "epochs" in file.attrs["checkpoint"]
    assert load_weights(model, path).epochs == (2,)


def test_what_fails_leaves_the_weights_before(model, tmp_path, monkeypatch):
    path = tmp_path / "best.weights.h5"
    save_weights(model, path, Checkpoint((1,), 2, "val_x", 1.0))

    def fail(unfinished):
        unfinished.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="no space left"):
        save_weights(model, path, Checkpoint((2,), 2, "val_x", 2.0))
    assert load_weights(model, path).epochs == (1,)
    assert list(tmp_path.iterdir()) == [path]
