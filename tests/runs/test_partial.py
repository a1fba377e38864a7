"""A run that another process trains is scored and predicts, and its training is undisturbed."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import rnnpipe
from rnnpipe.runs.directory import RunDirectory
from tests.runs.trainings import SENTIMENT, assert_equal, call, interrupt, the_run_in

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TEXT = "A good film."


def forbid_locks(monkeypatch):
    """From now on, nothing in this process may take the lock of a run."""

    def refuse(run):
        raise AssertionError(f"{run} was locked")

    monkeypatch.setattr(RunDirectory, "lock", refuse)


@contextmanager
def killed_at_last(process):
    """No failure leaves a process that has been stopped."""
    try:
        yield
    finally:
        process.kill()


def wait_for(process, find):
    while not (found := find()):
        assert process.poll() is None
        time.sleep(0.02)
    return found


def test_a_run_that_is_training_is_used_and_undisturbed(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", [*SENTIMENT, "train.epochs=8"])
    assert call(*train, "--runs-dir", tmp_path / "alone") == 0
    start = [sys.executable, "-m", "rnnpipe.cli", *map(str, train), "--runs-dir"]
    forbid_locks(monkeypatch)
    capsys.readouterr()
    command_line = [*start, str(tmp_path / "watched")]
    with subprocess.Popen(command_line, stdout=subprocess.DEVNULL) as other, killed_at_last(other):
        folder = tmp_path / "watched" / "sentiment"
        wait_for(other, lambda: list(folder.glob("*/checkpoints/best.weights.h5")))
        other.send_signal(signal.SIGSTOP)  # so that it does not end before we have begun
        run = the_run_in(tmp_path / "watched")
        assert call("predict", folder, "--text", TEXT) == 0
        printed = capsys.readouterr()
        assert "pos" in printed.out
        noted = "rnnpipe: note: the training has not ended: the weights are the best so far (member"
        assert noted in printed.err

        def train_on(run):  # when the model is loaded
            other.send_signal(signal.SIGCONT)
            return {}

        monkeypatch.setattr("rnnpipe.runs.evaluate.load_baselines", train_on)
        assert call("evaluate", folder) == 0  # while it trains on
        assert other.wait() == 0
    printed = capsys.readouterr().out
    assert "Note: the training has not ended: the weights are the best so far (member 1 of" in (
        printed.replace("\n", " ")
    )
    assert_equal(run, the_run_in(tmp_path / "alone"))
    (evaluation,) = (run / "evaluations").iterdir()
    before = {path.name: path.read_bytes() for path in evaluation.iterdir()}
    assert before.keys() >= {"metrics.json", "predictions.jsonl", "report.html", "partial.json"}
    assert not (run / "metrics.json").exists()
    monkeypatch.undo()
    assert rnnpipe.load(run).evaluate(verbose=False).path == run
    assert {path.name: path.read_bytes() for path in evaluation.iterdir()} == before
    assert not (run / "partial.json").exists()
    assert "the training has not ended" in (evaluation / "report.html").read_text()


def test_an_interrupted_run_is_used_with_its_best_weights(command, tmp_path, monkeypatch, capsys):
    settings = [*SENTIMENT, "train.ensemble_size=1", "train.optimizer.ema=0", "train.epochs=4"]
    train = command("sentiment", settings)
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        assert call(*train, "--runs-dir", tmp_path / "runs") == 130
    forbid_locks(monkeypatch)
    run = rnnpipe.load(tmp_path / "runs" / "sentiment")
    *_, last = sorted((run.path / "checkpoints" / "best.states").glob("*.npz"))
    progress = json.loads(str(np.load(last)["progress"]))
    values = [logs["val_accuracy"] for logs in progress["logs"]]
    assert len(values) == 2
    best = int(np.argmax(values))
    results = run.evaluate({"evaluate.splits": ["validation"]}, verbose=False)
    assert results.metrics["validation"]["accuracy"] == pytest.approx(values[best], abs=1e-6)
    partial: Any = results.partial
    (member,) = partial["members"]
    assert member == {
        "epochs": [best + 1],
        "of": 4,
        "metric": "val_accuracy",
        "value": values[best],
    }
    assert run.partial == partial
    assert len(run.history["loss"]) == 2
    assert run.predict(text=TEXT).answers
    noted = f"(epoch {best + 1} of 4, val_accuracy {values[best]:.4g})"
    assert capsys.readouterr().err.count(noted) == 1
    with pytest.raises(rnnpipe.UserError, match="expected a run with scores"):
        _ = run.metrics


def test_before_the_first_epoch_is_done_it_says_so(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", SENTIMENT)
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        assert call(*train, "--runs-dir", tmp_path / "runs") == 130
    run = the_run_in(tmp_path / "runs")
    for verb in ("evaluate", "predict"):
        capsys.readouterr()
        assert call(verb, run) == 2
        assert capsys.readouterr().err == (
            f"rnnpipe: {run}: expected a run with weights of at least one epoch, got one whose "
            "first epoch is not done; try again when it is; if the training was interrupted, "
            f"continue it with `rnnpipe resume {run}`\n"
        )


def test_a_run_may_start_from_one_that_was_interrupted(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", [*SENTIMENT, "train.ensemble_size=1"])
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        assert call(*train, "--runs-dir", tmp_path / "first") == 130
    first = the_run_in(tmp_path / "first")
    more = ["--set", f"train.start.path={first}", "--set", "train.epochs=1"]
    capsys.readouterr()
    assert call(*train, *more, "--runs-dir", tmp_path / "second") == 0
    assert f"Starting with weights of {first} (epoch 1 of 2, val_accuracy" in (
        capsys.readouterr().out
    )
    start: Any = rnnpipe.load(tmp_path / "second" / "sentiment").start
    assert start["state"].startswith("epoch 1 of 2")
