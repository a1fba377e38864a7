"""Runs that start from another run: what they take, and that they end as Keras' own would."""

import json
import re
import shutil
from typing import Any

import keras
import numpy as np
import pytest

import rnnpipe
from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.start import StartWeights
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.training.row_names import RowNames
from rnnpipe.training.transfer import NamedWeights, weights_by_path
from tests.runs.trainings import (
    CONFIGS,
    SENTIMENT,
    assert_equal,
    call,
    interrupt,
    the_run_in,
)

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ONE = [*SENTIMENT, "train.ensemble_size=1", "train.epochs=1"]


def starting(run, *settings):
    return [part for one in (f"train.start.path={run}", *settings) for part in ("--set", one)]


def test_a_layer_to_fine_tune_that_the_model_has_not_is_refused_before_training(
    command, tmp_path, capsys
):
    groups = "train.fine_tuning={groups: [encoder], unfreeze_every: 0}"
    assert call(*command("sentiment", [*ONE, groups]), "--runs-dir", tmp_path / "runs") == 2
    message = "train.fine_tuning.groups: expected a layer with weights of the model (embedding, "
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").rglob("config.yaml"))


def weights_of(run):
    return keras.models.load_model(run / "model.keras", compile=False).get_weights()


def test_a_run_trained_further_is_what_keras_makes_of_its_weights(command, tmp_path, capsys):
    train = command("sentiment", ONE)
    assert call(*train, "--runs-dir", tmp_path / "first") == 0
    first = the_run_in(tmp_path / "first")
    capsys.readouterr()
    assert call(*train, *starting(first.parent), "--runs-dir", tmp_path / "second") == 0
    second = the_run_in(tmp_path / "second")
    printed = capsys.readouterr().out
    assert f"Starting with weights of {first}:" in printed
    assert "  embedding: 1 taken\n" in printed
    assert "  recurrence: 6 taken\n" in printed

    config = load_run_config(RunDirectory(second))
    assert config.train.start.path == first, "the very run, with its absolute path"
    task, records = make_task(config), RecordsDirectory.open(tmp_path / "records")
    source = keras.models.load_model(first / "model.keras", compile=False)
    source.save_weights(tmp_path / "first.weights.h5")
    keras.utils.set_random_seed(config.seed)
    model = task.build_model(records)
    model.load_weights(tmp_path / "first.weights.h5")
    trainer = task.build_trainer(model, records)
    batches = task.make_batches(records, "train", shuffle_seed=config.seed)
    means = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    trainer.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[means])
    for ours, theirs, before in zip(
        weights_of(second), model.get_weights(), source.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert (ours != before).any()

    content: Any = rnnpipe.load(second).start
    assert content["run"] == str(first)
    assert (content["state"], content["left"], content["unused"]) == ("", {}, [])
    assert set(content["taken"].values()) == {""}
    assert rnnpipe.load(first).start is None
    assert not (second / "checkpoints" / "start.npz").exists()
    assert call("evaluate", second) == 0
    report = (second / "report.html").read_text()
    assert "Weights of another run" in report
    assert f"Training began with weights of {first}." in report


def test_an_interrupted_run_needs_the_other_one_no_more(command, tmp_path, monkeypatch, capsys):
    train = command("sentiment", SENTIMENT)
    assert call(*train, "--set", "train.epochs=1", "--runs-dir", tmp_path / "first") == 0
    first = the_run_in(tmp_path / "first")
    further = [*train, *starting(first), "--runs-dir"]
    assert call(*further, tmp_path / "whole") == 0
    for number, epoch in enumerate((1, 3)):  # of either member
        with monkeypatch.context() as patch:
            interrupt(patch, epoch)
            folder = tmp_path / "broken"
            arguments = ("resume", folder / "sentiment") if number else (*further, folder)
            assert call(*arguments) == 130
        shutil.rmtree(first, ignore_errors=True)
    capsys.readouterr()
    assert call("resume", tmp_path / "broken" / "sentiment") == 0
    assert "Starting with" not in capsys.readouterr().out
    runs = [the_run_in(tmp_path / name) for name in ("broken", "whole")]
    assert_equal(*runs)
    assert (runs[0] / "start.json").read_text() == (runs[1] / "start.json").read_text()


def test_members_start_from_members_in_turn(tmp_path):
    arrays = [{"logits/bias": np.full(2, number, "float32")} for number in (1, 2)]
    rows = {"logits": RowNames("labels", ["no", "yes"])}
    members = [NamedWeights(array, rows) for array in arrays]
    StartWeights("run", "", members, None).save(tmp_path / "new" / "start.npz")
    start = StartWeights.load(tmp_path / "new" / "start.npz")
    assert (start.run, start.state, start.parts) == ("run", "", None)
    assert start.members[0].rows == rows
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="logits")])
    taken = []
    for number in (1, 2, 3):
        assert start.apply(model, rows, number).taken == {"logits/bias": ""}
        taken.append(model.layers[0].bias.numpy().tolist())
    assert taken == [[1, 1], [2, 2], [1, 1]]


class OneLayer:
    """A task whose model has one layer."""

    def build_model(self, records):
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="logits")])

    def row_names(self, folder):
        return {"logits": RowNames("labels", ["no", "yes"])}


class Records:
    path = None


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            None,
            "train.start: expected a run with weights that fit the model, got none in a/run "
            "(logits/kernel: its rows are unnamed there, labels here, and 1 more); compare the "
            "sections model of both configs, or leave train.start out",
        ),
        (
            {"logits": "logits"},
            "train.start.parts: expected weights that fit in logits, got none (logits/kernel: its "
            "rows are unnamed there, labels here, and 1 more); compare the sections model of both "
            "configs, or name other parts",
        ),
        (
            {"output": "logits"},
            "train.start.parts: expected a layer with weights of the model (logits), got output; "
            "correct it",
        ),
        (
            {"logits": "output"},
            "train.start.parts: expected a layer with weights of a/run (dense, logits), got "
            "output; correct it",
        ),
    ],
)
def test_a_run_of_which_nothing_fits_is_refused(parts, message):
    arrays = {f"{name}/kernel": np.ones((3, 2)) for name in ("dense", "logits")}
    start = StartWeights("a/run", "", [NamedWeights(arrays)], parts)
    with pytest.raises(UserError) as fault:
        start.check(OneLayer(), Records())
    # The kernel has another name for its rows, the bias is missing.
    assert str(fault.value) == message


def test_the_other_run_is_looked_for_before_anything_is_built(tmp_path, capsys):
    records = ["--set", f"data.directory={tmp_path / 'records'}"]
    for verb in ("run", "train"):
        arguments = [verb, CONFIGS / "sentiment.yaml", *records, "--runs-dir", tmp_path / "runs"]
        assert call(*arguments, *starting(tmp_path / "none")) == 2
        refused = capsys.readouterr().err
        where = f"train.start.path: {tmp_path / 'none'}: expected the folder of a trained run"
        assert f"{where}, got no such folder" in refused
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("{path: s3://bucket/run}", "train.start.path: expected a folder of this machine"),
        ("{path: a, parts: [a=b=c]}", "train.start.parts: expected the name of a layer, or two as"),
        ("{path: a, parts: ['a=']}", "train.start.parts: expected the name of a layer, or two as"),
        ("{parts: [a]}", "train.start.path: expected"),
    ],
)
def test_a_start_that_cannot_be_is_refused(start, message):
    with pytest.raises(UserError) as fault:
        load_config(CONFIGS / "sentiment.yaml", find_schemas(), [f"train.start={start}"])
    assert message in str(fault.value)


def test_parts_may_have_another_name_in_the_other_run():
    settings = ["train.start={path: a, parts: [embedding, encoder = recurrence]}"]
    start = load_config(CONFIGS / "sentiment.yaml", find_schemas(), settings).train.start
    assert start.renames == {"embedding": "embedding", "encoder": "recurrence"}


def test_other_words_and_the_parts_of_a_run(command, tmp_path, capsys):
    """Fewer words, so that rows are matched; with parts, only those are taken."""
    train = command("sentiment", ONE)
    assert call(*train, "--runs-dir", tmp_path / "first") == 0
    first = the_run_in(tmp_path / "first")
    fewer = [*ONE, "data.text.vocabulary=40", f"data.directory={tmp_path / 'fewer'}"]
    train = command("sentiment", fewer)
    capsys.readouterr()
    parts = "train.start.parts=[embedding]"
    assert call(*train, *starting(first, parts), "--runs-dir", tmp_path / "second") == 0
    printed = capsys.readouterr().out
    assert "  embedding: 1 taken: 40 of 40 tokens\n" in printed
    assert "  recurrence: 6 left as they were: not among the parts to take\n" in printed
    content = json.loads((the_run_in(tmp_path / "second") / "start.json").read_text())
    assert content["taken"] == {"embedding/embeddings": "40 of 40 tokens"}
    parts = "train.start.parts=[recurence]"
    assert call(*train, *starting(first, parts), "--runs-dir", tmp_path / "third") == 2
    refused = capsys.readouterr().err
    assert "train.start.parts: expected a layer with weights of the model (embedding," in refused
    assert not (tmp_path / "third").exists()


def test_a_classifier_begins_with_a_language_model_of_words(command, tmp_path, capsys):
    """One direction of the classifier has read other texts; the embedding is matched by word."""
    words = "the plot was not bad and a dull cast\nalmost good but never new\n"
    (tmp_path / "text.txt").write_text(words * 40)
    reading = [
        f"data.source={{kind: text, path: {tmp_path / 'text.txt'}}}",
        f"data.directory={tmp_path / 'reading'}",
        "data.symbols=word",
        "model={embedding: {size: 4}, recurrence: {cell: {units: 3}}}",
        "train={epochs: 1, batch_size: 4, bptt_length: 16}",
    ]
    assert call(*command("language_model", reading), "--runs-dir", tmp_path / "first") == 0
    first = the_run_in(tmp_path / "first")
    forward = "recurrence/level_0/forward_level_0 = recurrence/level_0"
    start = f"train.start={{path: {first}, parts: [embedding, {forward}]}}"
    capsys.readouterr()
    train = command("sentiment", [*ONE, start])
    assert call(*train, "--runs-dir", tmp_path / "second") == 0
    printed = capsys.readouterr().out
    assert re.search(r"  embedding: 1 taken: \d+ of \d+ tokens\n", printed)
    assert "  recurrence: 3 taken\n" in printed
    assert "  recurrence: 3 left as they were: not among the parts to take\n" in printed

    config = load_run_config(RunDirectory(the_run_in(tmp_path / "second")))
    task, records = make_task(config), RecordsDirectory.open(tmp_path / "records")
    model = task.build_model(records)
    StartWeights.read(config.train.start).apply(model, task.row_names(records.path))
    ours = weights_by_path(model)
    theirs = weights_by_path(keras.models.load_model(first / "model.keras", compile=False))
    for name in ("kernel", "recurrent_kernel", "bias"):
        weight = ours[f"recurrence/level_0/forward_level_0/lstm_cell/{name}"]
        np.testing.assert_array_equal(weight, theirs[f"recurrence/level_0/lstm_cell/{name}"])
    rows = [
        task.row_names(records.path),
        make_task(load_run_config(RunDirectory(first))).row_names(first / "vocabulary"),
    ]
    names = [list(of_run["embedding"].names) for of_run in rows]
    word = next(name for name in names[1] if name in names[0] and "<" not in name)
    places = [of_run.index(word) for of_run in names]
    tables = [np.asarray(weights["embedding/embeddings"]) for weights in (ours, theirs)]
    np.testing.assert_array_equal(tables[0][places[0]], tables[1][places[1]])


def test_layers_are_pretrained_in_a_language_model_of_the_texts(command, tmp_path, capsys):
    pretraining = "train.pretraining={epochs: 2, batch_size: 16, optimizer: {learning_rate: 0.05}}"
    settings = [
        *ONE,
        pretraining,
        "train.fine_tuning={groups: [embedding + recurrence], rates: [0]}",
    ]
    assert call(*command("sentiment", settings), "--runs-dir", tmp_path / "runs") == 0
    printed = capsys.readouterr().out
    run = the_run_in(tmp_path / "runs")
    history = (run / "checkpoints" / "pretraining" / "history.csv").read_text().splitlines()
    assert history[0] == "epoch,learning_rate,loss,val_loss,val_perplexity"
    perplexities = [float(row.split(",")[-1]) for row in history[1:]]
    assert perplexities[1] < perplexities[0]
    assert f"val_perplexity {perplexities[1]:.4g}" in printed

    config = load_run_config(RunDirectory(run))
    task, records = make_task(config), RecordsDirectory.open(tmp_path / "records")
    made: Any = task.make_pretraining(records)
    made.trainer.optimizer.build(made.trainer.trainable_variables)
    made.trainer.load_weights(run / "checkpoints" / "pretraining" / "best.weights.h5")
    ours = weights_by_path(keras.models.load_model(run / "model.keras", compile=False))
    theirs = weights_by_path(made.model)
    kept = [path for path in ours if path.partition("/")[0] in ("embedding", "recurrence")]
    assert len(kept) == 7
    for path in kept:  # which nothing has changed since
        np.testing.assert_array_equal(ours[path], theirs[path])
    assert call("evaluate", run) == 0
    assert ">Pretraining<" in (run / "report.html").read_text()
