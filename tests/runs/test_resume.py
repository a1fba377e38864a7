import csv
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
from tests.runs.trainings import (
    SENTIMENT,
    assert_equal,
    call,
    interrupt,
    send_signal,
    the_run_in,
)

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
VQA = [
    "data.source.images=30",
    "data.source.questions_per_image=3",
    "build.max_bad_fraction=0.2",
    "data.image.size=32",
    "model.image_encoder.channels=[4, 4]",
    "model.embedding.size=4",
    "model.question_encoder.cell.units=5",
    "model.fusion_units=4",
    "model.attention.units=6",
    "model.hidden_units=7",
    "train.epochs=2",
    "train.optimizer.schedule.warmup_steps=1",
    "train.batch_size=16",
    "train.micro_batches=2",
]
VIDEO = [
    "data.source.clips=40",
    "data.source.size=16",
    "data.splits.validation=0.2",
    "data.frames.size=16",
    "model.frame_encoder.image_encoder.channels=[3, 3]",
    "model.frame_encoder.units=4",
    "model.recurrence.cell.units=3",
    "train.epochs=2",
    "train.batch_size=4",
]
SPEECH = [
    "data.source.utterances=40",
    "model.subsampling.filters=2",
    "model.encoder.cell.units=3",
    "train.epochs=2",
    "train.batch_size=4",
    "train.optimizer.schedule.warmup_steps=1",
    "evaluate.search.beam_width=2",
]
STEP = signal.SIGTERM  # of whose midst nothing is lost
# By config, its settings, and in which of all epochs that are trained to interrupt, and how: by a
# signal in a random step, whose state is kept, or so that the epoch is done again.
TRAININGS = {
    # Of the pretraining, of the first member with a group that is frozen, and of the second one.
    "sentiment": ([*PRETRAINED, *AUGMENTED], ((2, STEP), (3, STEP), (5, None))),
    "captioning": (CAPTIONING, ((2, None), (3, STEP), (5, STEP))),  # of both phases
    "translation": (TRANSLATION, ((2, STEP), (3, None))),
    "language_model": (CHAR_LM, ((1, STEP), (2, None), (2, STEP))),
    "glimpse": (GLIMPSE, ((2, STEP), (4, None))),  # of the model and of its baseline
    "vqa": (VQA, ((1, STEP), (2, STEP))),
    "video": (VIDEO, ((2, STEP), (3, STEP))),
    "speech": (SPEECH, ((1, STEP), (2, STEP))),
}


@pytest.mark.parametrize(
    "name",
    ["sentiment", *(pytest.param(name, marks=pytest.mark.slow) for name in (*TRAININGS,)[1:])],
)
def test_an_interrupted_run_resumes_with_equal_results(
    name, command, tmp_path, monkeypatch, capsys
):
    settings, interruptions = TRAININGS[name]
    train = command(name, settings)
    assert call(*train, "--runs-dir", tmp_path / "whole") == 0
    begun = 1
    for number, (epoch, signal_number) in enumerate(interruptions):
        with monkeypatch.context() as patch:
            if signal_number is None:
                interrupt(patch, epoch - begun + 1)
                code, word = 130, "interrupted"
            else:
                send_signal(patch, epoch - begun + 1, signal_number, seed=(epoch, len(name)))
                code, word = 143, "terminated"
            folder, begun = tmp_path / "broken", epoch
            command_line = ("resume", folder / name) if number else (*train, "--runs-dir", folder)
            assert call(*command_line) == code
        printed = capsys.readouterr()
        run = the_run_in(folder)
        assert f"rnnpipe: {word}; continue with `rnnpipe resume {run}`\n" in printed.err
        assert not (run / "model.keras").exists()
        states = sorted(run.rglob("*.states/*.npz"), key=lambda path: path.stat().st_mtime_ns)
        assert states[-1].stem.endswith("-000000000") == (signal_number is None)
    assert call("resume", tmp_path / "broken" / name) == 0
    assert_equal(run, the_run_in(tmp_path / "whole"))
    assert {path.name for path in run.iterdir()} >= {"metrics.json", "report.html"}
    resumed = json.loads((run / "environment.json").read_text())["resumed"]
    assert len(resumed) == len(interruptions)
    assert not list(run.rglob("*.states"))
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
    for member in (1, 2):
        place = f"in step 1 of epoch 3 of the training of member {member}"
        text = f"expected a finite loss, got NaN {place} (losses before it: "
        assert printed.count(text) == 1
    assert printed.count("; records of its batch: ") == 2
    assert f"the best model before that is saved: score it with `rnnpipe evaluate {run}`" in printed
    model = keras.models.load_model(run / "model.keras", compile=False)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert call("resume", run) == 0
    assert (run / "report.html").is_file()


class NanAbove(keras.callbacks.Callback):
    """Sets the weights to NaN when the second epoch begins with a rate above a limit."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and float(self.model.optimizer.learning_rate) > 0.007:
            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])


def test_a_run_goes_back_with_a_lower_rate(command, tmp_path, monkeypatch, capsys):
    settings = [*SENTIMENT, "train.ensemble_size=1", "train.optimizer={learning_rate: 0.01}"]
    train = command("sentiment", [*settings, "train.rollback={}"])
    make = "rnnpipe.runs.training.make_callbacks"
    monkeypatch.setattr(make, lambda *arguments: [NanAbove()])
    assert call(*train, "--runs-dir", tmp_path / "runs") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Note: NaN in step 1 of epoch 2 of the training (losses before it: " in printed
    # The state of the second epoch has no finite weights.
    assert "on behind step 0 of epoch 1 with 0.5 of the learning rate" in printed
    with (the_run_in(tmp_path / "runs") / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["rollbacks"]) for row in rows] == [1, 1]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.005, 0.005])


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
