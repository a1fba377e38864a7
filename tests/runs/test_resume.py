import json
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from rnnpipe.runs.directory import RunDirectory
from rnnpipe.storage.seal import Seal
from tests.runs.trainings import SENTIMENT, assert_equal, call, interrupt, the_run_in

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CAPTIONING = [
    "data.source.images=40",
    "data.image.size=32",
    "data.caption.min_count=1",
    "model.image_encoder.channels=[4, 4]",
    "model.embedding.size=6",
    "model.decoder.cell.units=7",
    "model.decoder.attention.mechanism.units=5",
    "train.epochs=3",
    "train.batch_size=12",
    "train.keep_best={metric: perplexity, average: 2}",
    "train.self_critical={epochs: 2, batch_size: 12, samples: 2}",
    "evaluate.search={beam_width: 2, n_best: 2, max_length: 6}",
]
# Texts that are cut otherwise, and lose and move words, in every epoch.
AUGMENTED = [
    "data.text.tokenizer=bpe",
    "data.text.vocabulary=80",
    "train.subword_sampling={alpha: 0.3}",
    "train.text_noise={drop: 0.1, shuffle: 2}",
]
TRANSLATION = [
    "data.source.pairs=120",
    "data.text={tokenizer: bpe, vocabulary: 200, max_tokens: 60, joint: false}",
    "train.subword_sampling={alpha: 0.2}",
    "train.source_noise={shuffle: 2}",
    "model.embedding.size=8",
    "model.encoder.cell.units=6",
    "model.decoder.attention.units=7",
    "model.decoder.cell.units=9",
    "train.epochs=3",
    "train.batch_tokens=200",
    "train.devices=2",
    "train.optimizer.schedule={kind: plateau, patience: 1}",
    "train.keep_best.average=2",
    "evaluate.search={beam_width: 2, n_best: 2, max_length: 8}",
]
CHAR_LM = [
    "data.splits.validation=0.3",
    "data.splits.test=0.3",
    "model.embedding.size=6",
    "model.recurrence={cell: {units: 6}, depth: 2, dropout: 0.2, learned_state: true}",
    "train.optimizer.schedule.warmup_steps=1",
    "train.bptt_length=64",
    "train.devices=2",
    "train.epochs=2",
    "train.batch_size=8",
]
GLIMPSE = [
    "data.source.images=60",
    "data.source.size=32",
    "data.image.size=32",
    "model.image_encoder.channels=[4, 4]",
    "model.reader.cell.units=5",
    "model.reader.steps=3",
    "model.reader.attention.units=4",
    "train.epochs=2",
    "train.batch_size=16",
]
PRETRAINED = [
    *SENTIMENT,
    "train.pretraining={epochs: 2, batch_size: 16, sampled_words: 9, optimizer: {ema: 0.9}}",
    "train.fine_tuning={groups: [embedding, recurrence], unfreeze_after: [1, 0]}",
]
# By config, its settings and in which of all epochs that are trained to interrupt.
TRAININGS = {
    # Of the pretraining and of the second member.
    "sentiment": ([*PRETRAINED, *AUGMENTED], (2, 5)),
    "captioning": (CAPTIONING, (3, 5)),  # of the first phase and of the second
    "translation": (TRANSLATION, (2, 3)),
    "language_model": (CHAR_LM, (2,)),
    "glimpse": (GLIMPSE, (2, 4)),  # of the model and of its baseline
}


@pytest.mark.parametrize(
    "name",
    ["sentiment", *(pytest.param(name, marks=pytest.mark.slow) for name in (*TRAININGS,)[1:])],
)
def test_an_interrupted_run_resumes_with_equal_results(
    name, command, tmp_path, monkeypatch, capsys
):
    settings, epochs = TRAININGS[name]
    train = command(name, settings)
    assert call(*train, "--runs-dir", tmp_path / "whole") == 0
    for number, epoch in enumerate(epochs):
        with monkeypatch.context() as patch:
            interrupt(patch, epoch - sum(epochs[:number]) + number)
            folder = tmp_path / "broken"
            if number == 0:
                assert call(*train, "--runs-dir", folder) == 130
            else:
                assert call("resume", folder / name) == 130
        printed = capsys.readouterr()
        run = the_run_in(folder)
        assert f"rnnpipe: interrupted; continue with `rnnpipe resume {run}`\n" in printed.err
        assert not (run / "model.keras").exists()
    assert call("resume", tmp_path / "broken" / name) == 0
    assert_equal(run, the_run_in(tmp_path / "whole"))
    assert {path.name for path in run.iterdir()} >= {"metrics.json", "report.html"}
    assert len(json.loads((run / "environment.json").read_text())["resumed"]) == len(epochs)
    assert not list(run.rglob("*.state.npz"))
    assert call("resume", run) == 2
    assert "was interrupted, got a run that is finished" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_run_resumes_with_equal_results(command, tmp_path):
    train = command("sentiment", [*SENTIMENT, "train.epochs=40"])
    assert call(*train, "--runs-dir", tmp_path / "whole") == 0
    start = [sys.executable, "-m", "rnnpipe.cli", *map(str, train), "--runs-dir"]
    with subprocess.Popen([*start, str(tmp_path / "broken")]) as process:
        while not list((tmp_path / "broken").glob("*/*/history.csv")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    run = the_run_in(tmp_path / "broken")
    assert not (run / "model.keras").exists()
    assert call("resume", run) == 0
    assert_equal(run, the_run_in(tmp_path / "whole"))


def test_other_records_are_refused(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", SENTIMENT)
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        assert call(*train, "--runs-dir", tmp_path / "runs") == 130
    run = the_run_in(tmp_path / "runs")
    seal, path = Seal(run), run / "environment.json"
    seal.write_text(path, json.dumps({**seal.read_json(path), "records": "another"}))
    assert call("resume", run) == 2
    assert "expected the records that it was trained on" in capsys.readouterr().err
    assert call("resume", tmp_path / "none") == 2
    assert "expected the folder of a run that was interrupted" in capsys.readouterr().err


def test_a_trained_run_is_evaluated_from_any_folder(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", SENTIMENT)
    assert call("train", *train[1:], "--runs-dir", tmp_path / "runs") == 0
    run = the_run_in(tmp_path / "runs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert call("resume", tmp_path / "runs" / "sentiment") == 0
    assert (run / "report.html").is_file()
    own = (run / "metrics.json").read_text()
    splits = ["--set", "evaluate.splits=[validation]"]
    assert call("evaluate", run, *splits) == 0
    (folder,) = (run / "evaluations").iterdir()
    assert list(json.loads((folder / "metrics.json").read_text())) == ["validation"]
    assert (run / "metrics.json").read_text() == own
    assert (folder / "report.html").is_file()
    assert call("evaluate", run, "--set", "train.epochs=3") == 2
    assert "--set train.epochs: expected a key of evaluate" in capsys.readouterr().err
    events = {path.parent.relative_to(run).as_posix() for path in run.rglob("events.out.*")}
    of_members = {f"tensorboard{part}/{split}" for part in ("", "/members/2") for split in BOTH}
    assert events == of_members


BOTH = ("train", "validation")


class Nan(keras.callbacks.Callback):
    """Sets the weights to NaN when the third epoch of any training begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])


def test_a_run_that_diverges_keeps_its_best_model(command, tmp_path, monkeypatch, capsys):
    settings = [*SENTIMENT, "train.epochs=4", "train.optimizer.ema=0"]
    train = command("sentiment", settings)
    make = "rnnpipe.runs.training.make_callbacks"
    monkeypatch.setattr(make, lambda *arguments: [Nan()])
    assert call(*train, "--runs-dir", tmp_path / "runs") == 2
    run = the_run_in(tmp_path / "runs")
    printed = capsys.readouterr().err
    assert (
        printed.count("expected a finite loss, got NaN in epoch 3 of the training, in step 1") == 2
    )  # members
    assert f"the best model before that is saved: score it with `rnnpipe evaluate {run}`" in printed
    model = keras.models.load_model(run / "model.keras", compile=False)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert call("resume", run) == 0
    assert (run / "report.html").is_file()


def test_a_run_that_ends_when_its_model_is_saved_keeps_nothing_that_is_not_needed(
    command, tmp_path, monkeypatch
):
    train = command("sentiment", [*SENTIMENT, "train.epochs=1", "train.ensemble_size=1"])
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "forget_training", raise_interrupt)
        assert call(*train, "--runs-dir", tmp_path / "runs") == 130
    run = RunDirectory(the_run_in(tmp_path / "runs"))
    assert run.model.exists()
    assert run.untrained.exists()
    assert call("resume", run.path) == 0
    assert not run.untrained.exists()
    assert run.report.exists()


def raise_interrupt(run):
    raise KeyboardInterrupt
