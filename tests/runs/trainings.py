"""Tiny trainings on the command line, interrupted and compared."""

import signal
from pathlib import Path

import keras
import numpy as np

import rnnpipe.layers  # noqa: F401  for the saved models
from rnnpipe import cli
from rnnpipe.runs.callbacks import TrainingProgress

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

SENTIMENT = [
    "data.source.sentences=200",
    "model.embedding.size=4",
    "model.recurrence.cell.units=3",
    "train.epochs=2",
    "train.batch_size=16",
    "train.ensemble_size=2",
    "train.r_drop=0.5",
    "train.optimizer.ema=0.9",
]


def call(*arguments):
    """The exit code of a command, which runs in this process."""
    return cli.main([str(argument) for argument in arguments])


def interrupt(monkeypatch, epoch):
    """Ends training in the first step of an epoch, counted from now on, whose state is not kept."""

    def stop(batch, steps):
        raise KeyboardInterrupt

    _watch_steps(monkeypatch, epoch, stop)


def send_signal(monkeypatch, epoch, number, seed):
    """Sends a signal in a random step of an epoch, counted from now on; its state is kept."""
    share = np.random.default_rng(seed).uniform()

    def send(batch, steps):
        if batch == int(share * steps):
            signal.raise_signal(number)

    _watch_steps(monkeypatch, epoch, send)


def _watch_steps(monkeypatch, epoch, watch):
    """Calls a function at the end of each step of an epoch, counted from now on."""
    begun = [0]
    begin, step = TrainingProgress.on_epoch_begin, TrainingProgress.on_train_batch_end

    def count(self, number, logs=None):
        begun[0] += 1
        begin(self, number, logs)

    def end(self, batch, logs=None):
        step(self, batch, logs)
        if begun[0] == epoch:
            watch(batch, self._steps)

    monkeypatch.setattr(TrainingProgress, "on_epoch_begin", count)
    monkeypatch.setattr(TrainingProgress, "on_train_batch_end", end)


def the_run_in(folder):
    (run,) = folder.glob("*/*")
    return run


def assert_equal(ours, theirs):
    """Two runs have the same weights and histories, down to the last bit."""
    models = sorted(path.relative_to(theirs) for path in theirs.rglob("*.keras"))
    assert sorted(path.relative_to(ours) for path in ours.rglob("*.keras")) == models
    for path in models:
        weights = [keras.models.load_model(run / path).get_weights() for run in (ours, theirs)]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_array_equal(one, other)
    for path in theirs.rglob("*.csv"):
        assert (ours / path.relative_to(theirs)).read_text() == path.read_text()
