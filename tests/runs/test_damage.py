"""Damaged files of runs: every file that a verb reads, damaged in every way, is one message.

Of a finished run and of an interrupted one, each a copy of one that was made once. A verb that
refuses a file does so before it loads a model, so that all cells together cost seconds.
"""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.runs.console import make_console
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.train import note_interrupted
from rnnpipe.storage.atomic import json_text
from rnnpipe.storage.seal import Seal
from tests.runs.trainings import SENTIMENT, call, interrupt, the_run_in

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TEXT = ["--text", "A good film."]
VERBS = {
    "evaluate": lambda run: cli.main(["evaluate", run]),
    "predict": lambda run: cli.main(["predict", run, *TEXT]),
    "export": lambda run: cli.main(["export", run, "--format", "onnx"]),
    "resume": lambda run: cli.main(["resume", run]),
}


@pytest.fixture(scope="module")
def finished(make_pair, tmp_path_factory):
    """A finished run that was evaluated, but has no report, so that it can be resumed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    shutil.copytree(make_pair("text_classification").own.path, folder)
    rnnpipe.load(folder).evaluate(verbose=False)
    (folder / "report.html").unlink()
    return folder


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A run that was interrupted in its second epoch, and the same one without interruption."""
    folder = tmp_path_factory.mktemp("interrupted")
    settings = [*SENTIMENT, "train.ensemble_size=1", "train.checkpoint.keep=1"]
    settings.append(f"data.directory={folder / 'records'}")
    config = ["sentiment", *(part for each in settings for part in ("--set", each))]
    assert call("build", *config) == 0
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, 2)
        assert call("train", *config, "--runs-dir", folder / "broken") == 130
    assert call("train", *config, "--runs-dir", folder / "whole") == 0
    return the_run_in(folder / "broken"), the_run_in(folder / "whole")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "cut": lambda path, other: os.truncate(path, path.stat().st_size // 2),
    "flipped": lambda path, other: flip(path),
    "emptied": lambda path, other: os.truncate(path, 0),
    "lost": lambda path, other: path.unlink(),
    "another run's": lambda path, other: other(path),
}
VOCABULARY = ("vocabulary/labels.json", "vocabulary/tokenizer.json", "vocabulary/tokenizer.model")
OF_FINISHED = {
    "evaluate": ("environment.json", "history.csv", "model.keras", "seal.json"),
    "predict": (*VOCABULARY, "model.keras", "seal.json"),
    "export": (*VOCABULARY, "model.keras", "metrics.json", "seal.json"),
    "resume": ("environment.json", "history.csv", "model.keras", "seal.json"),
}
WEIGHTS, STATE = "checkpoints/best.weights.h5", "checkpoints/best.states/00001-000000000.npz"
OF_INTERRUPTED = {
    "evaluate": ("environment.json", "checkpoints/untrained.keras", WEIGHTS, "seal.json"),
    "predict": (*VOCABULARY, "checkpoints/untrained.keras", WEIGHTS, "seal.json"),
    "resume": ("environment.json", *VOCABULARY, WEIGHTS, STATE, "seal.json"),
}


def cells(files):
    return [
        pytest.param(verb, name, damage, id=f"{verb} {name} {damage}")
        for verb, names in files.items()
        for name in names
        for damage in DAMAGE
        if (verb, name, damage) != ("resume", "model.keras", "lost")  # it is made of the weights
    ]


def copy_of_another(name, run, other):
    """Puts the file of another run in the place of a run's own."""

    def put(path):
        if name == STATE:  # of a training with other weights
            arrays = dict(np.load(path))
            np.savez(path, **{**arrays, "model/0": arrays["model/0"] + 1})
        elif (other / name).exists() and (other / name).read_bytes() != path.read_bytes():
            shutil.copyfile(other / name, path)
        else:
            shutil.copyfile(other / "config.yaml", path)

    return put


def expect_refusal(verb, run, name, capsys):
    """A verb refuses a run in one line that names the file, and leaves the run as it is."""
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    capsys.readouterr()
    assert VERBS[verb](str(run)) == 2
    error = capsys.readouterr().err
    (line,) = [line for line in error.splitlines() if line.startswith("rnnpipe: ")]
    assert line in error
    assert re.match(rf"rnnpipe: {re.escape(str(run))}/\S+: expected .*, got .*; ", line), error
    if name != "seal.json":  # that of another run has other checksums for all files
        assert line.startswith(f"rnnpipe: {run / name}: ")
    assert "Traceback" not in error
    after = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    # Resuming notes in the run on which machine, before it comes to the model.
    ours = {run / "environment.json", run / "seal.json", run, run / "exports"}
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} <= ours


@pytest.mark.parametrize(("verb", "name", "damage"), cells(OF_FINISHED))
def test_a_damaged_file_of_a_finished_run_is_named(
    verb, name, damage, finished, make_pair, tmp_path, capsys
):
    run, other = tmp_path / "run", make_pair("text_classification").other.path
    shutil.copytree(finished, run)
    DAMAGE[damage](run / name, copy_of_another(name, run, other))
    expect_refusal(verb, run, name, capsys)


@pytest.mark.parametrize(("verb", "name", "damage"), cells(OF_INTERRUPTED))
def test_a_damaged_file_of_an_interrupted_run_is_named(
    verb, name, damage, interrupted, tmp_path, capsys
):
    run, (broken, whole) = tmp_path / "run", interrupted
    shutil.copytree(broken, run)
    DAMAGE[damage](run / name, copy_of_another(name, run, whole))
    expect_refusal(verb, run, name, capsys)


READ = {
    "config.yaml": lambda run: run.config,
    "history.csv": lambda run: run.history,
    "metrics.json": lambda run: run.metrics,
    "predictions.jsonl": lambda run: run.predictions,
    "model.keras": lambda run: run.model,
    "vocabulary/labels.json": lambda run: run.predictor,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", READ)
def test_a_damaged_file_is_named_in_python(name, damage, finished, make_pair, tmp_path):
    run, other = tmp_path / "run", make_pair("vqa").own.path
    shutil.copytree(finished, run)
    loaded = rnnpipe.load(run)
    DAMAGE[damage](run / name, copy_of_another(name, run, other))
    with pytest.raises(UserError) as fault:
        READ[name](loaded)
    assert str(fault.value).startswith(f"{run / name}: expected ")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("verb", VERBS)
def test_a_damaged_config_is_named(verb, finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    text = (run / "config.yaml").read_text()
    for changed, got in (
        (text[: text.index("\ntrain:") + len("\ntra")], "got a damaged one"),
        ("", "got a damaged one"),
        (text.replace("task:", "tsak:"), "got a damaged one"),
        (text.replace("seed: 7", "seed: 8"), "got another one (seed 8, not 7); write it as it was"),
    ):
        assert changed != text
        (run / "config.yaml").write_text(changed)
        capsys.readouterr()
        assert VERBS[verb](str(run)) == 2
        error = capsys.readouterr().err
        expected = f"rnnpipe: {run}/config.yaml: expected the config that the run began with, {got}"
        assert error.startswith(expected)
        assert error.count("\n") == 1


def test_an_edit_that_no_training_depends_on_is_noted(finished, make_pair, tmp_path, capsys):
    run, records = tmp_path / "run", make_pair("text_classification").records.path
    shutil.copytree(finished, run)
    shutil.copytree(records, tmp_path / "moved")
    text = (run / "config.yaml").read_text()
    edited = text.replace(str(records), str(tmp_path / "moved"))
    (run / "config.yaml").write_text(edited.replace("batch_size: 256", "batch_size: 128"))
    edits = f"data.directory {tmp_path / 'moved'}, not {records}, evaluate.batch_size 128, not 256"
    assert call("evaluate", run) == 0
    assert f"Note: {run}/config.yaml was edited: {edits}\n" in capsys.readouterr().out
    assert rnnpipe.load(run).config.evaluate.batch_size == 128
    assert f"note: {run}/config.yaml was edited: {edits}\n" in capsys.readouterr().err


def test_a_resumed_run_writes_anew_what_it_can(interrupted, tmp_path, capsys):
    """Its history is in the state, its untrained model in the config; the machine is noted."""
    broken, whole = interrupted
    run = tmp_path / "run"
    shutil.copytree(broken, run)
    os.truncate(run / "history.csv", 20)
    flip(run / "checkpoints" / "untrained.keras")
    seal, path = Seal(run), run / "environment.json"
    seal.write_text(path, json_text({**seal.read_json(path), "python": "3.0"}))
    assert call("resume", run) == 0
    assert "Note: not where it was interrupted (python 3." in capsys.readouterr().out
    assert (run / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    weights = [rnnpipe.load(folder).model.get_weights() for folder in (run, whole)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_lost_model_is_made_of_the_best_weights(interrupted, tmp_path):
    _, whole = interrupted
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "model.keras").unlink()
    assert call("resume", run) == 0
    weights = [rnnpipe.load(folder).model.get_weights() for folder in (run, whole)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_one_process_at_a_time_writes_the_scores_of_a_run(finished, capsys):
    with RunDirectory(finished).lock():
        assert VERBS["evaluate"](str(finished)) == 2
    assert f"rnnpipe: {finished}: expected a run that no other process" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_here_is_reported(finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    with Seal(run).write(run / "model.keras") as unfinished:
        unfinished.write_bytes(b"of a later version")
    assert VERBS["predict"](str(run)) == 2
    expected = f"{run}/model.keras: expected a model that can be loaded here, got an error ("
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"started": 5}', '{"started": "now"}'])
def test_a_damaged_run_hides_no_other_one(text, finished, tmp_path):
    for name in ("20260501-100000", "20260502-100000"):
        shutil.copytree(finished, tmp_path / name)
    (tmp_path / "20260502-100000" / "environment.json").write_text(text)
    assert Path(rnnpipe.load(tmp_path).path).name == "20260502-100000"
    (tmp_path / "20260502-100000" / "model.keras").unlink()
    assert Path(rnnpipe.load(tmp_path).path).name == "20260501-100000"


def test_a_damaged_config_of_an_older_run_stops_no_new_one(tmp_path, capsys):
    for name, content in (("a", b"task: caf\xe9"), ("b", b"task: x")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_bytes(content)
    note_interrupted(tmp_path, "task: x", make_console())
    assert f"rnnpipe resume {tmp_path / 'b'}\n" in capsys.readouterr().out
    note_interrupted(tmp_path, "task: y", make_console())
    assert capsys.readouterr().out == ""
