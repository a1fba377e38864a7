import os
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.training.averaging import AverageBestEpochs
from rnnpipe.training.fit import TrainingFiles, fit_model
from rnnpipe.training.safeguards import Safeguards

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

X = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
Y = np.tanh(X @ np.array([[1.0], [-2.0], [0.5]], "float32"))
MEANS = {"use_ema": True, "ema_momentum": 0.9}


class Interrupted(Exception):
    pass


class Interrupt(keras.callbacks.Callback):
    """Ends a training in the middle of an epoch, or when one is done but not yet counted."""

    def __init__(self, epoch, moment):
        super().__init__()
        self.at, self.moment, self.epoch = epoch, moment, None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, self.moment, batch) == (self.at, "batch", 1):
            raise Interrupted

    def on_train_end(self, logs=None):
        if self.moment == "training":
            raise Interrupted


def files_in(folder):
    return TrainingFiles(folder / "best.weights.h5", folder / "history.csv", folder / "events")


def train(folder, *, options=None, more=(), first=0, patience=4, epochs=7, **settings):
    """A training in which all depends on what came before: order, dropout, means, rates."""
    keras.utils.set_random_seed(0)
    kernel = keras.initializers.GlorotUniform(seed=first)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, "tanh", kernel_initializer=kernel),
            keras.layers.Dropout(0.4, seed=3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05, **(options or {})), loss="mse", metrics=["mae"])
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    files = files_in(folder)
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.0)
    average = AverageBestEpochs(
        3,
        monitor="val_loss",
        mode="min",
        score=lambda: model.evaluate(data.batch(8), verbose=0)[0],
        weights=files.weights,
    )
    swap = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if options else []
    fit_model(
        model,
        data.shuffle(24, seed=5).batch(4).shuffle(6, seed=6),
        data.batch(8),
        epochs=epochs,
        monitor="val_loss",
        mode="min",
        patience=patience,
        files=files,
        callbacks=[*swap, average, plateau, *more],
        **settings,
    )
    return model.get_weights()


def leaves_of(folder):
    averaged = folder / "averaged.json"
    return (folder / "history.csv").read_text(), averaged.exists() and averaged.read_text()


@pytest.fixture(scope="module", params=[None, MEANS], ids=["weights", "means"])
def whole(request, tmp_path_factory):
    """A training without interruption: its optimizer's options, its folder, its weights."""
    folder = tmp_path_factory.mktemp("whole")
    return request.param, folder, train(folder, options=request.param)


@pytest.mark.parametrize(
    ("epoch", "moment"), [(0, "batch"), (1, "batch"), (5, "batch"), (None, "training")]
)
def test_an_interrupted_training_resumes_with_equal_results(whole, tmp_path, epoch, moment):
    options, folder, weights = whole
    with pytest.raises(Interrupted):
        train(tmp_path, options=options, more=[Interrupt(epoch, moment)])
    assert files_in(tmp_path).states.find()
    found = train(tmp_path, options=options, first=1)  # other first weights must not matter
    for ours, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert leaves_of(tmp_path) == leaves_of(folder)
    assert not files_in(tmp_path).states.folder.exists()


def test_rates_fall_and_training_ends_early_as_without_interruption(tmp_path):
    train(tmp_path / "whole", patience=2, epochs=40)
    rows = (tmp_path / "whole" / "history.csv").read_text().splitlines()
    assert 4 < len(rows) < 41
    assert len({row.split(",")[1] for row in rows}) > 2
    for epoch in (2, len(rows) - 2):  # the last one is the epoch that ends it
        with pytest.raises(Interrupted):
            train(tmp_path / "broken", patience=2, epochs=40, more=[Interrupt(epoch, "batch")])
    train(tmp_path / "broken", patience=2, epochs=40)
    assert leaves_of(tmp_path / "broken") == leaves_of(tmp_path / "whole")


def test_a_further_training_goes_on_with_its_first_score(tmp_path):
    whole = train(tmp_path / "whole", start=0.001)
    assert (tmp_path / "whole" / "history.csv").read_text().count("\n") < 1 + 7
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", start=0.001, more=[Interrupt(2, "batch")])
    found = train(tmp_path / "broken", start=0.001, first=1)
    for ours, theirs in zip(found, whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_finished_training_is_only_loaded(tmp_path):
    whole = train(tmp_path)
    before = leaves_of(tmp_path)
    found = train(tmp_path, first=1, more=[Interrupt(0, "batch")])
    for ours, theirs in zip(found, whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert leaves_of(tmp_path) == before


def test_the_state_of_another_model_is_refused(tmp_path):
    with pytest.raises(Interrupted):
        train(tmp_path, more=[Interrupt(2, "batch")])
    state = files_in(tmp_path).states.find()[-1]
    kept = state.read_bytes()
    with pytest.raises(UserError, match="the variables of this model, got those of another"):
        train(tmp_path, options=MEANS)
    assert state.read_bytes() == kept


class Signal(keras.callbacks.Callback):
    """Sends a signal in a step, which is to end first."""

    def __init__(self, epoch, step, number=signal.SIGINT, times=1):
        super().__init__()
        self.at, self.number, self.times, self.epoch = (epoch, step), number, times, None
        self.ended = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            for _ in range(self.times):
                signal.raise_signal(self.number)

    def on_train_batch_end(self, batch, logs=None):
        self.ended.append((self.epoch, batch))


def names_of(folder):
    return [path.stem for path in files_in(folder).states.find()]


@pytest.mark.parametrize("places", [[(0, 3), (2, 5)], [(1, 4), (1, 5)]])
def test_a_signal_keeps_the_state_of_its_step(whole, tmp_path, places):
    options, folder, weights = whole
    for number, (epoch, step) in enumerate(places):
        ends = Signal(epoch, step)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, options=options, more=[ends], first=number)
        assert ends.ended[-1] == (epoch, step)
        assert names_of(tmp_path)[-1] == f"{epoch:05}-{step + 1:09}"
    found = train(tmp_path, options=options, first=9)
    for ours, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert leaves_of(tmp_path) == leaves_of(folder)


def test_a_second_interrupt_ends_a_step_at_once(tmp_path):
    ends = Signal(1, 2, times=2)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, more=[ends])
    assert ends.ended[-1] == (1, 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Killed(Signal):
    """Ends a training at the begin of a step without a chance to write anything."""

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise Interrupted


def test_the_last_states_are_kept_and_a_damaged_one_is_skipped(tmp_path):
    weights = train(tmp_path / "whole")
    settings = {"safeguards": Safeguards(CheckpointOptions(every_steps=2, keep=3))}
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", more=[Killed(2, 5)], **settings)
    last = ["00002-000000000", "00002-000000002", "00002-000000004"]
    assert names_of(tmp_path / "broken") == last
    states = files_in(tmp_path / "broken").states.find()
    for state, count in ((states[2], 1), (states[1], 2)):
        os.truncate(state, state.stat().st_size // 2)
        note = pytest.warns(UserWarning, match="the state before it is used")
        with note as notices, pytest.raises(Interrupted):
            train(tmp_path / "broken", more=[Killed(2, 1)], **settings)
        ours = [notice for notice in notices if notice.category is UserWarning]
        assert [str(notice.message).partition(":")[0] for notice in ours] == [str(state)]
        assert names_of(tmp_path / "broken") == last[:-count]
    found = train(tmp_path / "broken", first=1)
    for ours, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert leaves_of(tmp_path / "broken") == leaves_of(tmp_path / "whole")


def test_states_that_are_all_damaged_are_refused(tmp_path):
    with pytest.raises(Interrupted):
        train(tmp_path, more=[Killed(1, 3)])
    states = files_in(tmp_path).states.find()
    for state in states:
        state.write_bytes(b"")
    with pytest.raises(UserError) as fault:
        train(tmp_path)
    assert fault.value.where == str(states[-1])


def test_a_state_is_written_after_minutes(tmp_path, monkeypatch):
    seconds = [0.0]

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seconds[0] += 40

    monkeypatch.setattr("rnnpipe.training.state.time.monotonic", lambda: seconds[0])
    settings = {"safeguards": Safeguards(CheckpointOptions(every_minutes=1.5, keep=9))}
    with pytest.raises(Interrupted):
        train(tmp_path, more=[Clock(), Killed(1, 4)], **settings)
    assert names_of(tmp_path) == [
        "00000-000000000",
        "00000-000000003",
        "00000-000000006",
        "00001-000000000",
        "00001-000000003",
    ]
