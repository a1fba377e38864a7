"""Runs whose searches a language model takes part in: what is recorded, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.config.dump import dump_config
from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.text.tokenizer import Tokenizer, train_tokenizer
from rnnpipe.text.tokens import END, START
from tests.runs.handmade import MAX_LENGTH, make_run
from tests.runs.test_ensemble import find_sound, softmax

KEY = "evaluate.search.language_model"
WIDE = {"evaluate.search.beam_width": 3}


def make_language_model(folder, tokenizer, texts, seed=1):
    """A run of a language model of the tokens of another run, on its texts."""
    (folder / "texts").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        (folder / "texts" / f"{split}.txt").write_text("".join(f"{text}\n" for text in texts))
    overrides = {
        "data.source.path": folder / "texts",
        "data.tokenizer": tokenizer,
        "data.directory": folder / "records",
        "model.embedding.size": 4,
        "model.recurrence.cell": {"kind": "gru", "units": 5},
    }
    config = rnnpipe.load_config("real/transcripts", overrides)
    return make_run(folder / "run", config, rnnpipe.build(config, verbose=False), seed)


@pytest.fixture(scope="module")
def fused(make_pair, tmp_path_factory):
    """A pair of runs of speech, and a run of a language model of their tokens."""
    pair = make_pair("speech")
    texts = [row["text"] for row in pair.records.read("train", ["text"])]
    folder = tmp_path_factory.mktemp("language_model")
    return pair, make_language_model(folder, pair.own.path, texts)


def test_a_run_is_scored_with_a_language_model_and_records_it(fused, capsys):
    pair, language_model = fused
    settings = {**WIDE, f"{KEY}.run": language_model.path, f"{KEY}.weight": 2.0}
    results = pair.own.evaluate(settings, verbose=False)
    alone = pair.own.evaluate(WIDE, verbose=False)
    texts = [[row["prediction"] for row in each.predictions] for each in (results, alone)]
    assert texts[0] != texts[1]
    (run,) = json.loads((results.path / "language_model.json").read_text())["runs"]
    assert run["run"] == str(language_model.path)
    page = Path(results.report).read_text()
    assert "Language model of the search" in page
    assert run["model_sha256"][:12] in page
    assert results.config.evaluate.search.language_model.run == language_model.path
    assert not (alone.path / "language_model.json").exists()

    row = results.predictions[0]
    sound = find_sound(pair.raw, row)
    answers = pair.own.with_settings(settings).predict(audio=sound).answers
    assert answers[0].text == row["prediction"]
    assert answers[0].score == pytest.approx(row["n_best"][0]["score"], abs=2e-3)
    arguments = ["predict", pair.own.path, "--audio", sound, "--stream"]
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    assert cli.main([*map(str, arguments), *sets]) == 2
    assert f"{KEY}: expected null for streams" in capsys.readouterr().err


def test_tokens_of_one_alone_are_noted(fused, tmp_path, capsys):
    pair, _ = fused
    words = {"etaoinshr": 5, "#": 1}
    (tmp_path / "vocabulary").mkdir()
    normalizer = pair.own.task.config.data.text.normalizer
    tokenizer = train_tokenizer(words, kind="char", vocabulary=40, normalizer=normalizer)
    tokenizer.save(tmp_path / "vocabulary")
    other = make_language_model(tmp_path / "lm", tmp_path, ["one", "two"])
    results = pair.own.evaluate({**WIDE, f"{KEY}.run": other.path})
    printed = " ".join(capsys.readouterr().out.split())
    assert f"this run lacks 1 token (#) of the language model {other.path}" in printed
    assert "more), which it scores as unknown" in printed
    assert results.metrics["test"]["wer"] >= 0


def test_what_does_not_fit_is_refused_before_decoding(fused, make_pair, tmp_path):
    pair, language_model = fused
    characters = make_pair("language_model").own

    def refused(path, message):
        with pytest.raises(UserError) as fault:
            pair.own.evaluate({**WIDE, f"{KEY}.run": path}, verbose=False)
        assert str(fault.value).startswith(f"{KEY} {path}: expected {message}")

    refused(tmp_path / "none", "the folder of a trained run, got no such folder")
    refused(tmp_path, "the folder of a trained run, got a folder without a trained model")
    refused(pair.other.path, "a language model, got a run of speech")
    refused(characters.path, "a language model of the tokens of this run, got one of symbols")
    normalizer = pair.own.task.config.data.text.normalizer
    for kind, like, message in (
        ("word", normalizer, "the tokens of this run, of the tokenizer char, got those of word"),
        ("char", None, "texts normalized as those of this run, got other settings"),
    ):
        folder = tmp_path / kind
        folder.mkdir()
        train_tokenizer({"one": 1}, kind=kind, vocabulary=20, normalizer=like).save(folder)
        other = make_language_model(folder / "lm", folder, ["one"])
        refused(other.path, message)

    # A run whose own config names one is not exported.
    copy = RunDirectory(tmp_path / "copy")
    config = rnnpipe.load_config(pair.own.config, {**WIDE, f"{KEY}.run": language_model.path})
    make_run(copy.path, config, pair.records, seed=1)
    assert KEY.rpartition(".")[2] in dump_config(config)
    with pytest.raises(UserError, match=f"{KEY}: expected null, as exports have none"):
        rnnpipe.load(copy.path).export("onnx", verbose=False)


def test_a_language_model_of_tokens_scores_lines_with_their_end(fused):
    pair, run = fused
    text = next(pair.records.read("test", ["text"]))["text"]
    tokens = [*Tokenizer.load(pair.own.path / "vocabulary").encode(text), END]
    states = [np.zeros((1, state.shape[-1]), "float32") for state in run.model.input["states"]]
    read = {"tokens": np.array([[START, *tokens[:-1]]]), "starts": np.array([True])}
    logits = run.model({**read, "states": states})["logits"]
    expected = np.log(softmax(logits))[0, np.arange(len(tokens)), tokens]
    scored = run.score(text=text)
    np.testing.assert_allclose([cost for _, cost in scored.tokens], expected, atol=1e-4)
    assert scored.tokens[-1][0] == "</s>"
    with pytest.raises(UserError, match="text: expected one line, as the model reads, got several"):
        run.score(text=f"{text}\n{text}")


def translate_by_hand(model, language_model, source):
    """Greedy search of one row by the weighted log-probabilities of both models."""
    tokens: list[int] = []
    states = [np.zeros((1, state.shape[-1]), "float32") for state in language_model.input["states"]]
    while len(tokens) < MAX_LENGTH and tokens[-1:] != [END]:
        read = np.array([[START, *tokens]], "int32")
        own = model({"source": source, "target": read})["logits"]
        text = {"tokens": read, "starts": np.array([True]), "states": states}
        scores = np.log(softmax(own)[0, -1])
        scores += 1.5 * np.log(softmax(language_model(text)["logits"])[0, -1])
        tokens.append(int((scores + 0.5 * (np.arange(len(scores)) != END)).argmax()))
    return [token for token in tokens if token != END]


def test_translations(make_pair, tmp_path):
    pair = make_pair("translation")
    folder = pair.own.path / "vocabulary" / "target"
    texts = [row["target"] for row in pair.records.read("train", ["target"])]
    language_model = make_language_model(tmp_path, folder, texts)
    settings = {"run": language_model.path, "weight": 1.5, "length_bonus": 0.5}
    run = pair.own.with_settings({f"{KEY}.{name}": value for name, value in settings.items()})
    target = Tokenizer.load(folder)
    expected, found = [], []
    for row in [*pair.records.read("test")][:6]:
        source = np.array([row["source_tokens"]], "int32")
        tokens = translate_by_hand(pair.own.model, language_model.model, source)
        expected.append(target.decode(tokens))
        found.append(run.predict(text=row["source"]).answers[0].text)
    assert found == expected
    assert len(set(found)) > 1
