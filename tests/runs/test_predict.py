"""The inputs of Python calls: values, batches, mistakes and notes."""

from pathlib import Path

import numpy as np
import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.runs.predict import predict_keywords, stream_keywords
from rnnpipe.tasks.inputs import Input, integer, split_phrases
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor


class Echo(Predictor):
    """Predicts its inputs, or streams them letter by letter."""

    def encode(self, inputs):
        return Example({}, inputs, notes=["--text: it is read back"] if inputs["note"] else ())

    def collate(self, examples):
        return {}

    def decode(self, outputs, examples):
        return [
            Prediction(
                [Answer(row.inputs["text"], row.inputs["n-best"]), *row.inputs["require"]],
                notes=row.notes,
            )
            for row in examples
        ]

    def stream(self, inputs):
        text = self.parse(inputs)["text"]
        yield from text
        raise rnnpipe.UserError("--text", "a text without an end", text, "correct --n-best")


ECHO = Echo(
    {"call": lambda arrays: arrays},
    inputs=(
        Input("text", "a text", default="", accepts=(bytes,)),
        Input("n-best", "how many", integer(1), default=1),
        Input("require", "phrases", split_phrases, default=()),
        Input("note", "a flag", bool, default=False),
    ),
    task="echo",
    batch_size=2,
)


def echo(**inputs):
    return predict_keywords(ECHO, inputs)


def test_inputs_may_be_python_values():
    assert echo(text=Path("a/b"), n_best=2).answers == [("a/b", 2, None)]
    assert echo(text=0.5, n_best=np.int32(3), require=("c d", "e")).answers[1:] == ["c d", "e"]
    batch = echo(text=["a", "b", "c"], n_best=2)
    assert [one.answers[0][:2] for one in batch] == [("a", 2), ("b", 2), ("c", 2)]
    assert echo(text=None).answers[0].text == ""
    assert echo(text=b"raw").answers[0].text == b"raw"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"n_best": 0}, "n_best: expected an integer of at least 1, got 0; correct n_best"),
        ({"n_best": True}, "n_best: expected a text, number, path or tuple of texts, got True"),
        ({"n_best": b"1"}, "n_best: expected a text, number, path or tuple of texts, got b'1'"),
        ({"note": "yes"}, "note: expected True or False, got 'yes'; correct note"),
        ({"text": ["a"], "n_best": [1, 2]}, "got 1 of text and 2 of n-best"),
        ({"text": ["a", "b"], "n_best": [1, 0]}, "n_best: expected an integer of at least 1"),
    ],
)
def test_wrong_inputs_are_refused(inputs, message):
    with pytest.raises(rnnpipe.UserError) as caught:
        echo(**inputs)
    assert message in str(caught.value)


def test_notes_name_keywords(capsys):
    echo(text="a", note=True)
    assert capsys.readouterr().err == "rnnpipe: note: text: it is read back\n"


def test_a_stream_gives_pieces_and_names_keywords():
    pieces = stream_keywords(ECHO, {"text": "ab"})
    assert [next(pieces), next(pieces)] == ["a", "b"]
    with pytest.raises(rnnpipe.UserError, match=r"^text: expected .*; correct n_best$"):
        next(pieces)


def test_a_run_predicts_with_other_settings_of_its_evaluation(make_pair, tmp_path, capsys):
    pair = make_pair("translation")
    texts = [row["source"] for row in pair.records.read("test")][:6]
    together = [one.answers[0] for one in pair.together.predict(text=texts)]
    assert [one.answers[0] for one in pair.own.predict(text=texts)] != together
    ensemble = {"evaluate.ensemble": [str(pair.other.path)]}
    changed = pair.own.with_settings(ensemble)
    assert [one.answers[0] for one in changed.predict(text=texts)] == together
    assert pair.own.config.evaluate.ensemble == ()
    with pytest.raises(rnnpipe.UserError, match="export: expected a run with its own settings"):
        changed.export("onnx", tmp_path / "export")
    with pytest.raises(rnnpipe.UserError, match=r"'seed'.*expected a key of evaluate, got seed"):
        pair.own.with_settings({"seed": 1})

    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{text}\n" for text in texts))
    command = ["--input", str(lines), "--set", f"evaluate.ensemble=[{pair.other.path}]"]
    assert cli.main(["predict", str(pair.own.path), *command]) == 0
    assert capsys.readouterr().out.splitlines() == [answer.text for answer in together]
    assert cli.main(["predict", str(pair.own.path), "--text", "a", "--set", "model=1"]) == 2
    assert "--set model: expected a key of evaluate, got model" in capsys.readouterr().err
    scored = ["--text", texts[0], "--translation", together[0].text, *command[2:]]
    assert cli.main(["score", str(pair.own.path), *scored, "--format", "text"]) == 0
    expected = pair.together.score(text=texts[0], translation=together[0].text).log_probability
    assert float(capsys.readouterr().out) == pytest.approx(expected, rel=1e-4)
