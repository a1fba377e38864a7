"""Of every task: what its rows are called, and that its weights are found again by their paths."""

import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import rnnpipe.layers  # noqa: F401  for the saved models
from rnnpipe.config.loader import load_config
from rnnpipe.records.layout import ANSWERS, CLIP_LABELS, LABELS, SOURCE, TARGET
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.training.best_weights import Checkpoint, load_weights, save_weights
from rnnpipe.training.transfer import NamedWeights, transfer_weights, weights_by_path

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
WORDS = {"red": 5, "blue": 4, "green": 3, "hue": 2, "sky": 1}
GERMAN = {"rot": 3, "blau": 2}
NAMES = {LABELS: ["a", "b", "c"], CLIP_LABELS: ["left", "right"], ANSWERS: ["yes", "no", "1", "2"]}

# The layers whose rows have names, of each shipped config and of other shapes of its model.
CASES = {
    "sentiment": ([], {"embedding": 9, "logits": 3}),
    "vqa": ([], {"embedding": 9, "logits": 4}),
    "language_model": ([], {"embedding": 7, "logits": 7}),
    "language_model tied": (
        ["model.tie_weights=true", "model.embedding.size=8", "model.recurrence.cell.units=8"],
        {"embedding": 7},
    ),
    "captioning": ([], {"decoder/embedding": 9, "decoder/logits": 9}),
    "captioning without attention": (
        ["model.decoder.attention=null"],
        {"embedding": 9, "logits": 9},
    ),
    "translation": (
        [],
        {"source_embedding": 9, "decoder/target_embedding": 6, "decoder/logits": 6},
    ),
    "translation untied": (
        ["model.decoder.tie_weights=false"],
        {"source_embedding": 9, "decoder/target_embedding": 6, "decoder/logits": 6},
    ),
    "translation joint": (
        ["data.text.joint=true", "model.share_embedding=true"],
        {"target_embedding": 9, "decoder/logits": 9},
    ),
    "glimpse": ([], {"logits": 3}),
    "video": ([], {"frame": 3, "clip": 2}),
    "speech": ([], {"ctc": 9}),
    "speech joint": (
        ["model.output.kind=joint"],
        {"ctc": 9, "decoder/target_embedding": 9, "decoder/logits": 9},
    ),
}


@pytest.fixture
def records(tmp_path):
    """What models are built from: vocabularies, and the names of labels and answers."""
    tokenizer, german = (
        train_tokenizer(words, kind="word", vocabulary=9) for words in (WORDS, GERMAN)
    )
    for folder, of in ((".", tokenizer), (SOURCE, tokenizer), (TARGET, german)):
        (tmp_path / folder).mkdir(exist_ok=True)
        of.save(tmp_path / folder)
    Symbols("char", "abc").save(tmp_path)
    for file, names in NAMES.items():
        (tmp_path / file).write_text(json.dumps(names))
    return SimpleNamespace(
        path=tmp_path,
        labels=NAMES[LABELS],
        clip_labels=NAMES[CLIP_LABELS],
        answers=NAMES[ANSWERS],
        read=lambda split, fields: iter(()),
    )


@pytest.fixture(params=CASES)
def case(request, records):
    """A task, its model, and how many named rows its layers have."""
    settings, sizes = CASES[request.param]
    task = make_task(
        load_config(CONFIGS / f"{request.param.split()[0]}.yaml", find_schemas(), settings)
    )
    if request.param == "translation joint":
        for file in (records.path / SOURCE).iterdir():
            (records.path / TARGET / file.name).write_bytes(file.read_bytes())
    return task, task.build_model(records), sizes


def test_rows_of_embeddings_and_outputs_have_names(case, records):
    task, model, sizes = case
    rows = task.row_names(records.path)
    weights = weights_by_path(model)
    named = {
        layer: len(names.names)
        for layer, names in rows.items()
        if any(path == layer or path.startswith(f"{layer}/") for path in weights)
    }
    assert named == sizes
    for layer, size in named.items():
        for path, weight in weights.items():
            if path == layer or path.startswith(f"{layer}/"):
                axis = 0 if path.endswith("/embeddings") else -1
                assert weight.shape[axis] == size, path


def test_weights_have_one_path_each_which_is_stable(case, records, tmp_path):
    task, model, _ = case
    again = task.build_model(records)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    shapes = [
        {path: tuple(weight.shape) for path, weight in weights_by_path(one).items()}
        for one in (model, again, loaded)
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    assert len(shapes[0]) == len(model.weights)


def test_weights_of_a_trainer_are_those_of_a_loaded_one(case, tmp_path):
    """As a training writes them, and as they are read while it goes on."""
    task, model, _ = case
    model.save(tmp_path / "untrained.keras")
    for number, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, number, "float32"))
    trainers = []
    loaded = keras.models.load_model(tmp_path / "untrained.keras", compile=False)
    for one in (model, loaded):
        trainer = task.wrap_model(one)
        if not trainer.built:
            trainer.build()
        trainers.append((trainer, one))
    path = tmp_path / "best.weights.h5"
    save_weights(trainers[0][0], path, Checkpoint((1,), 1, "val_loss", 0.0))
    load_weights(trainers[1][0], path)
    read = weights_by_path(trainers[1][1])
    for name, weight in weights_by_path(model).items():
        np.testing.assert_array_equal(read[name], weight, err_msg=name)


def test_a_classifier_starts_from_a_language_model(records):
    """Words of a stream are those of a text, and recurrent layers are alike."""
    Symbols("word", ["blue", "red", "grey"]).save(records.path)
    of_words = ["data.symbols=word", "train.keep_best.metric=perplexity"]
    shared = ["model.embedding.size=4", "model.recurrence.cell={kind: gru, units: 3}"]
    tasks = [
        make_task(load_config(CONFIGS / f"{name}.yaml", find_schemas(), [*shared, *settings]))
        for name, settings in (
            ("language_model", ["model.recurrence.depth=1", *of_words]),
            ("sentiment", ["model.recurrence.bidirectional=false"]),
        )
    ]
    models = [task.build_model(records) for task in tasks]
    rows = [task.row_names(records.path) for task in tasks]
    transfer = transfer_weights(models[1], rows[1], NamedWeights.of(models[0], rows[0]))
    assert transfer.taken["embedding/embeddings"] == "6 of 9 tokens"
    assert {path.partition("/")[0] for path in transfer.taken} == {"embedding", "recurrence"}
    reason = "its rows are tokens there, labels here"
    assert {transfer.left[f"logits/{name}"] for name in ("kernel", "bias")} == {reason}


def test_symbols_are_written_as_the_tokens_of_a_text():
    letters = train_tokenizer({"to be": 1}, kind="char", vocabulary=20)
    assert set(letters.pieces) == set(Symbols("char", " tobe").pieces)
    words = train_tokenizer({"to be": 1}, kind="word", vocabulary=20)
    assert set(words.pieces) == set(Symbols("word", ["to", "be"]).pieces)
