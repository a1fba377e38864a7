"""Scores of given texts: against NumPy, predictions and perplexities, and as files."""

import json
import math

import numpy as np
import pytest

from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.predictors.output import PARTIAL
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks.language_model import scorer
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, START
from tests.tasks.test_image_inputs import find_image


def softmax(logits):
    powers = np.exp(np.asarray(logits, "float64") - np.max(logits, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_probs_by_hand(pair, inputs, name, tokens):
    """The log-probability of each token, by the mean of the probabilities of both models."""
    given = {**inputs, name: np.array([[START, *tokens[:-1]]])}
    mean = pair.mean(lambda model: softmax(model(given)["logits"])[0])
    return np.log(mean[np.arange(len(tokens)), tokens])


def check(scored, expected):
    assert [log_prob for _, log_prob in scored.tokens] == pytest.approx(expected, abs=1e-5)
    assert scored.log_probability == pytest.approx(expected.sum(), abs=1e-4)
    assert scored.perplexity == pytest.approx(math.exp(-expected.mean()), rel=1e-4)


def test_translations(make_pair):
    pair = make_pair("translation")
    rows = list(pair.records.read("test"))[:5]
    texts, given = [row["source"] for row in rows], [row["target"] for row in rows]
    together = pair.together.score(text=texts, translation=given)
    for row, scored in zip(rows, together, strict=True):
        inputs = {"source": np.array([row["source_tokens"]])}
        expected = log_probs_by_hand(pair, inputs, "target", [*row["target_tokens"], END])
        check(scored, expected)
        pieces = Tokenizer.load(pair.records.path / "target").split(row["target"])
        assert [token for token, _ in scored.tokens] == [*pieces, "</s>"]
    alone = [pair.together.score(text=row["source"], translation=row["target"]) for row in rows]
    assert [each.log_probability for each in alone] == pytest.approx(
        [each.log_probability for each in together], abs=1e-4
    )


def test_what_greedy_search_finds_has_its_score(make_pair):
    run = make_pair("translation").own
    text = next(iter(make_pair("translation").records.read("test")))["source"]
    answer = run.predict(text=text).answers[0]
    scored = run.score(text=text, translation=answer.text)
    tokens = Tokenizer.load(run.path / "vocabulary" / "target").encode(answer.text)
    ended = len(tokens) < run.config.evaluate.search.max_length
    without_end = scored.log_probability - (0 if ended else scored.tokens[-1].log_probability)
    assert without_end == pytest.approx(answer.score, abs=1e-4)


def test_a_long_translation_is_scored_in_full_and_an_empty_one_by_its_end(make_pair):
    run = make_pair("translation").own
    text = next(iter(make_pair("translation").records.read("test")))
    long, empty = run.score(text=text["source"], translation=[text["target"] + " ," * 200, ""])
    assert len(long.tokens) > 200
    assert [token for token, _ in empty.tokens] == ["</s>"]


def test_captions(make_pair):
    pair = make_pair("captioning")
    row = next(iter(pair.records.read("test")))
    image, captions = str(find_image(pair.raw, row)), row["captions"][:2]
    for scored, tokens in zip(
        pair.together.score(image=image, caption=captions), row["caption_tokens"], strict=False
    ):
        pixels = {"image": decode_jpeg(row["image_jpeg"])[None], "image_index": np.array([0])}
        check(scored, log_probs_by_hand(pair, pixels, "caption", [*tokens, END]))


def test_texts(make_pair, monkeypatch):
    monkeypatch.setattr(scorer, "_CHUNK", 8)
    pair = make_pair("language_model")
    texts = ["The first text of two.", "And a second one, which is longer", "x"]
    symbols = Symbols.load(pair.records.path)
    for scored, text in zip(pair.together.score(text=texts), texts, strict=True):
        starts = {"starts": np.array([True])}

        def nats(model, starts=starts, text=text):
            tokens = symbols.encode(text)
            zeros = [np.zeros((1, state.shape[-1])) for state in model.input["states"]]
            read = {"tokens": np.array([[START, *tokens[:-1]]]), **starts, "states": zeros}
            return softmax(model(read)["logits"])[0, np.arange(len(tokens)), tokens]

        check(scored, np.log(pair.mean(nats)))
        assert "".join(token for token, _ in scored.tokens) == text
    with pytest.raises(UserError, match=r"^text: expected a text, got ''"):
        pair.own.score(text="")


def test_tables_become_tables(make_pair, tmp_path, capsys):
    run = make_pair("translation").own
    rows = list(make_pair("translation").records.read("test"))[:3]
    pairs = [(row["source"], row["target"]) for row in rows]
    table = tmp_path / "pairs.tsv"
    lines = [*pairs, ("", "none"), pairs[0]]
    table.write_text(
        "text\ttranslation\tprediction\n" + "".join(f"{a}\t{b}\tc\n" for a, b in lines)
    )
    scores = [run.score(text=a, translation=b) for a, b in pairs]

    output = tmp_path / "scores.tsv"
    command = ["score", str(run.path), "--input", str(table)]
    assert cli.main([*command, "--output", str(output)]) == 1
    error = capsys.readouterr().err
    assert "--text: expected a text, got ''" in error
    assert "1 of 5 rows have no score" in error
    header, *written = [line.split("\t") for line in output.read_text().splitlines()]
    own = ["log_probability", "tokens", "perplexity"]
    assert header == ["row", "text", "translation", "prediction", *own, "error"]
    for cells, scored in zip(written, scores, strict=False):
        assert float(cells[4]) == pytest.approx(scored.log_probability, rel=1e-4)
        assert (int(cells[5]), cells[7]) == (len(scored.tokens), "")
        assert float(cells[6]) == pytest.approx(scored.perplexity, rel=1e-4)
    assert written[3][4:7] == ["", "", ""]
    assert not (tmp_path / f"scores.tsv{PARTIAL}").exists()

    assert cli.main([*command, "--format", "jsonl", "--tokens"]) == 1
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    tokens = objects[0]["token_scores"]
    assert [token["token"] for token in tokens] == [token for token, _ in scores[0].tokens]
    assert sum(t["log_probability"] for t in tokens) == pytest.approx(objects[0]["log_probability"])
    assert objects[3].keys() == {"row", "inputs", "error"}

    assert cli.main([*command, "--format", "text"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert (float(printed[0]), printed[3]) == (float(written[0][4]), "")
    assert cli.main([*command, "--tokens"]) == 2
    assert "--tokens: expected the format jsonl, got text" in capsys.readouterr().err


def test_lines_and_a_single_row(make_pair, tmp_path, capsys):
    run = make_pair("language_model").own
    texts = tmp_path / "texts.txt"
    texts.write_text("A text.\n\nAnother\n")
    assert cli.main(["score", str(run.path), "--input", str(texts), "--format", "csv"]) == 0
    shown = capsys.readouterr()
    assert [line.split(",")[3] for line in shown.out.splitlines()] == ["tokens", "7", "", "7"]
    assert "1 of 3 lines are blank" in shown.err
    assert cli.main(["score", str(run.path), "--text", "A text."]) == 0
    total = run.score(text="A text.").log_probability
    assert f"log-probability {total:.4f}, tokens 7, perplexity" in capsys.readouterr().out
    assert cli.main(["score", str(run.path)]) == 2
    assert "--text: expected an input of language_model, got none" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["score", str(run.path), "--help"])
    assert "--text TEXT" in capsys.readouterr().out


def test_tasks_without_a_likelihood_are_refused_by_name(make_pair, capsys):
    run = make_pair("text_classification").own
    message = "score: expected a task whose model gives texts a probability, e.g. translation, got "
    with pytest.raises(UserError, match=f"^{message}text_classification; "):
        run.score(text="good")
    assert cli.main(["score", str(run.path), "--text", "good"]) == 2
    assert f"{message}text_classification" in capsys.readouterr().err
