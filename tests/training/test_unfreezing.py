"""Layers that are unfrozen one after the other while a model is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.parts.layer_groups import LayerGroups
from rnnpipe.parts.optimizers import AdamOptions
from rnnpipe.parts.schedules import SlantedTriangularScheduleOptions
from rnnpipe.training.fit import TrainingFiles, fit_model
from rnnpipe.training.trainer import Trainer
from rnnpipe.training.unfreezing import Unfreezing, find_groups

X = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
Y = np.tanh(X @ np.array([[1.0], [-2.0], [0.5]], "float32"))
DELAYS = (3, 1, 0)


class Interrupted(Exception):
    pass


class Watch(keras.callbacks.Callback):
    """The kernels when each epoch begins; ends the training in the middle of one."""

    def __init__(self, interrupted_in=None):
        super().__init__()
        self.epoch, self.interrupted_in, self.kernels = 0, interrupted_in, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.kernels.append([w.numpy() for w in self.model.weights if w.name == "kernel"])

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.interrupted_in and batch == 1:
            raise Interrupted


def train(folder, *, watch, epochs=5, patience=9, patience_from=0):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(8, "tanh", name="lowest")(inputs)
    hidden = keras.layers.Dense(8, "tanh", name="middle")(keras.layers.Dropout(0.3)(hidden))
    model = keras.Model(inputs, keras.layers.Dense(1, name="top")(hidden))
    groups = LayerGroups((0.2, 0.5, 1.0), find_groups(model, [["lowest"], ["middle"]]))
    options = AdamOptions(
        learning_rate=0.05,
        ema=0.8,
        weight_decay=0.1,
        schedule=SlantedTriangularScheduleOptions(),
    )
    trainer = Trainer(model)
    trainer.compile(options.make(steps=epochs * 3, groups=groups), keras.losses.MeanSquaredError())
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    fit_model(
        trainer,
        data.shuffle(24, seed=4).batch(8),
        data.batch(8),
        epochs=epochs,
        monitor="val_loss",
        mode="min",
        patience=patience,
        patience_from=patience_from,
        files=TrainingFiles(folder / "best.weights.h5", folder / "history.csv", folder / "events"),
        callbacks=[*options.make_callbacks(), Unfreezing(trainer, DELAYS), watch],
    )
    return model


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    """A training that nothing interrupted, with running means: model, what was seen, history."""
    folder, watch = tmp_path_factory.mktemp("through"), Watch()
    return train(folder, watch=watch), watch, (folder / "history.csv").read_text()


def test_layers_stay_to_the_last_bit_until_they_are_unfrozen(through):
    _, watch, _ = through
    for layer, delay in enumerate(DELAYS):
        kernels = [kernels[layer] for kernels in watch.kernels]
        for epoch in range(1, 5):
            stays = np.array_equal(kernels[epoch], kernels[epoch - 1])
            assert stays == (epoch <= delay), (layer, epoch)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("interrupted_in", [1, 4])
def test_an_interrupted_training_ends_as_one_that_was_not(tmp_path, through, interrupted_in):
    with pytest.raises(Interrupted):
        train(tmp_path, watch=Watch(interrupted_in))
    resumed, (expected, _, history) = train(tmp_path, watch=Watch()), through
    for ours, theirs in zip(resumed.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (tmp_path / "history.csv").read_text() == history


def test_training_does_not_stop_before_all_layers_are_unfrozen(tmp_path):
    class Worse(Watch):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = 1.0 + epoch

    for name, patience_from, epochs in (("at_once", 0, 2), ("later", 2, 4)):
        watch = Worse()
        train(tmp_path / name, watch=watch, patience=1, patience_from=patience_from, epochs=9)
        assert len(watch.kernels) == epochs


def test_the_most_exact_path_decides():
    stack = keras.Sequential([keras.layers.Dense(2, name="one"), keras.layers.Dense(2, name="two")])
    stack.name = "stack"
    model = keras.Sequential([keras.Input((3,)), stack, keras.layers.Dense(1)])
    find = find_groups(model, [["stack/two", "stack/one/bias"], ["stack"]])
    paths = [(weight.path, find(weight)) for weight in model.weights]
    assert [number for _, number in paths] == [1, 0, 0, 0, 2, 2]


def test_a_layer_that_is_not_there_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="logits")])
    message = r"groups: expected a layer with weights of the model \(logits\), got embedding"
    with pytest.raises(UserError, match=message):
        find_groups(model, [["logits"], ["embedding"]])
