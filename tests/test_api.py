"""The Python API: a tiny run of a text classifier, its results, and what is refused."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import Faults
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.runs.console import make_console
from rnnpipe.tasks.prediction import Answer, Prediction, Segment

TINY = {
    "data.source.sentences": 200,
    "build.workers": 1,
    "model.embedding.size": 4,
    "model.recurrence.cell": GRUOptions(units=4),
    "train.epochs": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with records in `records`, so that runs may begin anywhere."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def trained(folder):
    """A tiny run from the shipped config."""
    overrides = {**TINY, "data.directory": folder / "records"}
    return rnnpipe.run("sentiment", overrides, runs_dir=folder / "runs", verbose=False)


def test_results_have_the_content_of_the_files(trained):
    assert trained.metrics == json.loads((trained.path / "metrics.json").read_text())
    right = [row["prediction"] == row["label"] for row in trained.predictions]
    assert trained.metrics["test"]["accuracy"] == pytest.approx(np.mean(right))
    header, *rows = (trained.path / "history.csv").read_text().splitlines()
    assert ["epoch", *trained.history] == header.split(",")
    assert len(rows) == 2
    assert trained.history["val_accuracy"] == [
        float(row.split(",")[header.split(",").index("val_accuracy")]) for row in rows
    ]


def test_overrides_are_in_the_config_of_the_run(trained, folder):
    assert trained.config.train.epochs == 2
    assert trained.config.model.recurrence.cell == GRUOptions(units=4)
    assert trained.config.data.directory == folder / "records"
    assert trained.path.parent == folder / "runs" / "sentiment"


def test_the_model_is_a_keras_model_and_is_loaded_once(trained):
    assert isinstance(trained.model, keras.Model)
    assert trained.model is trained.model


def test_a_prediction_is_that_of_the_model(trained):
    prediction = trained.predict(text="The film was good.")
    assert isinstance(prediction, Prediction)
    assert {answer.text for answer in prediction.answers} == {"neg", "pos"}
    assert sum(answer.probability for answer in prediction.answers) == pytest.approx(1)
    assert prediction.answers[0].probability >= prediction.answers[1].probability
    assert prediction.picture.startswith(b"\x89PNG")
    assert prediction.alignments.shape[0] == 1
    np.testing.assert_allclose(prediction.alignments.sum(axis=-1), 1, rtol=1e-5)
    assert b"PNG" not in repr(prediction).encode()


def test_a_list_is_a_batch_of_single_predictions(trained):
    texts = ["The film was good.", "It was a dull plot."]
    batch = trained.predict(text=texts)
    for text, prediction in zip(texts, batch, strict=True):
        alone = trained.predict(text=text)
        assert [a.text for a in prediction.answers] == [a.text for a in alone.answers]
        for answer, other in zip(prediction.answers, alone.answers, strict=True):
            assert answer.probability == pytest.approx(other.probability, abs=1e-6)
    assert batch[0].answers != batch[1].answers
    assert trained.predict(text=[]) == []


def test_mistakes_of_an_input_name_keywords(trained):
    with pytest.raises(rnnpipe.UserError) as caught:
        trained.predict(txt="a")
    assert str(caught.value).splitlines() == [
        "text: expected an input of text_classification, got none; add text",
        "txt: expected one of text, got txt; text_classification has no such input",
    ]
    with pytest.raises(rnnpipe.UserError, match="text: expected a text, got ''; write a sentence"):
        trained.predict(text="")


def test_the_newest_run_is_loaded(trained, folder):
    with pytest.raises(rnnpipe.UserError, match="expected the folder of a trained run, got no"):
        rnnpipe.load(folder / "none")
    again = rnnpipe.train(
        trained.config, {"train.epochs": 1}, name="sentiment", runs_dir=folder / "runs"
    )
    assert again.path.parent == trained.path.parent
    assert rnnpipe.load(str(trained.path)).metrics == trained.metrics
    newest = rnnpipe.load(folder / "runs" / "sentiment")
    assert newest.path == again.path
    assert len(newest.history["loss"]) == 1
    with pytest.raises(rnnpipe.UserError, match="expected a run with scores, got one that is not"):
        _ = newest.metrics
    assert newest._repr_html_() == f"<code>{newest!r}</code>"


def test_an_evaluation_with_other_settings_writes_separate_results(trained, capsys):
    before = (trained.path / "report.html").read_bytes()
    overrides = {"evaluate.splits": ("validation",)}
    results = trained.evaluate(overrides, verbose=False)
    assert capsys.readouterr().out == ""
    assert results.path.parent == trained.path / "evaluations"
    assert set(results.metrics) == {"validation"}
    assert results.config.evaluate.splits == ("validation",)
    assert Path(results.report).is_file()
    assert (trained.path / "report.html").read_bytes() == before
    with pytest.raises(rnnpipe.UserError, match=r"overrides\['seed'\]: expected a key of evaluate"):
        trained.evaluate({"seed": 1})


def test_a_notebook_shows_the_scores_and_a_link(trained, monkeypatch):
    html = trained.report._repr_html_()
    assert html == trained._repr_html_()
    assert f"<td>{trained.metrics['test']['accuracy']:.4f}</td>" in html
    assert "<td>baseline: majority</td>" in html
    assert f'<a href="{(trained.path / "report.html").as_uri()}"' in html
    assert "<iframe" not in html
    monkeypatch.chdir(trained.path.parent)
    assert f'<a href="{trained.path.name}/report.html"' in trained.report._repr_html_()


def test_the_records_that_a_run_was_trained_on_are_reused(trained, folder, capsys):
    records = rnnpipe.build(trained.config)
    assert "Reusing records" in capsys.readouterr().out
    assert records.path == folder / "records"
    assert sum(records.splits.values()) == 200
    with pytest.raises(rnnpipe.UserError, match="flink_mastr"):
        rnnpipe.build(trained.config, beam_args=["--runner=FlinkRunner", "--flink_mastr=a:1"])


def test_rows_from_anywhere_are_predicted_as_they_come(trained):
    asked = []

    def rows():
        for number in range(1000):
            asked.append(number)
            yield {"text": f"The film was good {number}."} if number else rnnpipe.UserError("bad")

    predictions = trained.predictor.predict(rows())
    trained.predictor.window, trained.predictor.batch_size = 2, 4
    assert str(next(predictions)) == "bad"
    assert len(asked) == 8
    assert sum(1 for _ in predictions) == 999
    del trained.__dict__["predictor"]


def test_predictions_are_those_of_the_evaluation_in_any_batch(trained):
    rows = trained.predictions
    predictions = trained.predict(text=[row["text"] for row in rows])
    for row, prediction in zip(rows, predictions, strict=True):
        assert prediction.answers[0].text == row["prediction"]
        for answer, (text, probability) in zip(prediction.answers, row["top"], strict=True):
            assert (answer.text, answer.probability) == (text, pytest.approx(probability, abs=1e-4))


def test_files_of_texts_are_predicted_by_the_command_line(trained, tmp_path, capsys):
    texts = [row["text"] for row in trained.predictions][:5]
    (tmp_path / "texts.txt").write_text("\n".join([*texts[:2], "", *texts[2:]]) + "\n")
    command = ["predict", str(trained.path), "--input", str(tmp_path / "texts.txt")]
    assert cli.main(command) == 0
    captured = capsys.readouterr()
    expected = [row["prediction"] for row in trained.predictions][:5]
    assert captured.out.split("\n")[:-1] == [*expected[:2], "", *expected[2:]]
    assert "1 of 6 lines are blank" in captured.err
    assert cli.main([*command, "--output", str(tmp_path / "answers.jsonl")]) == 0
    assert capsys.readouterr().out == ""
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert [json.loads(line)["prediction"] for line in lines] == [
        *expected[:2],
        None,
        *expected[2:],
    ]
    single = ["predict", str(trained.path), "--text", texts[0], "--format", "csv"]
    assert cli.main(single) == 0
    header, row = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header == ["row", "text", "prediction", "probability", "error"]
    assert row[:3] == ["1", texts[0], expected[0]]


def test_the_command_line_reads_runs_made_in_python(trained, capsys):
    assert cli.main(["predict", str(trained.path), "--text", "The film was good."]) == 0
    likeliest = trained.predict(text="The film was good.").answers[0]
    assert f"{likeliest.probability:.1%}" in capsys.readouterr().out


def test_a_config_may_be_a_name_a_path_or_a_config(tmp_path):
    by_name = rnnpipe.load_config("sentiment", {"train.epochs": np.int64(3)})
    file = tmp_path / "mine.yaml"
    file.write_text("{task: text_classification, data: {source: {kind: sentiment_grammar}}}")
    assert rnnpipe.load_config(file).train.epochs == 20
    assert rnnpipe.load_config(str(file), ["train.epochs=3"]).train.epochs == 3
    changed = rnnpipe.load_config(by_name, {"seed": 8})
    assert (changed.train.epochs, changed.seed) == (3, 8)
    assert changed.model == by_name.model


@pytest.mark.parametrize(
    ("config", "overrides", "message"),
    [
        ("sentimant", {}, "did you mean sentiment?"),
        ("s3://bucket/a.yaml", {}, "config s3://bucket/a.yaml: expected a path of this machine"),
        ("sentiment", {"train.epoch": 1}, "overrides['train.epoch']: expected a key of train"),
        ("sentiment", {"seed": object}, "overrides['seed']: expected a value that YAML can have"),
        ("sentiment", {"seed": float("nan")}, "overrides['seed']: expected an integer from 0"),
        ("sentiment", {"a..b": 1}, "expected a key such as train.epochs, got a..b"),
        ("sentiment", {"train": {"epochs": "two"}}, "overrides['train']: train.epochs: expected"),
        ("sentiment", "train.epochs=2", "overrides: expected a mapping or a list"),
    ],
)
def test_a_wrong_config_is_refused(config, overrides, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rnnpipe.UserError) as caught:
        rnnpipe.run(config, overrides)
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_all_mistakes_of_overrides_are_reported_at_once():
    with pytest.raises(Faults) as caught:
        rnnpipe.load_config("sentiment", {"train.epochs": 0, "seed": "one"})
    first, second = str(caught.value).splitlines()
    assert first.startswith("overrides['train.epochs']: expected a positive integer, got 0")
    assert second.startswith("overrides['seed']: expected an integer")


def test_a_task_without_pieces_refuses_to_stream(trained):
    with pytest.raises(rnnpipe.UserError, match="expected a task that answers piece by piece"):
        trained.stream(text="The film was good.")


def test_a_notebook_shows_answers_timeline_and_picture():
    timeline = [Segment(0.0, 0.5, "circle", 0.75)]
    html = Prediction([Answer("<b>", 0.25)], timeline, draw=lambda: b"png")._repr_html_()
    assert "<td>&lt;b&gt;</td><td>0.2500</td>" in html
    assert "<th>start</th><th>end</th><th>label</th>" in html
    assert 'src="data:image/png;base64,cG5n"' in html


def test_a_quiet_console_prints_nothing(capsys):
    make_console(quiet=True).print("a")
    make_console().print("b")
    assert capsys.readouterr().out == "b\n"


def test_the_import_is_instant_and_its_names_are_those_of_all():
    script = (
        "import sys, rnnpipe\n"
        "heavy = {'numpy', 'keras', 'rich', 'pydantic', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "rnnpipe.run, rnnpipe.load, rnnpipe.build, rnnpipe.UserError\n"
        "heavy = {'keras', 'rich', 'pydantic', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(rnnpipe.__all__) <= set(dir(rnnpipe))\n"
        "for name in rnnpipe.__all__: getattr(rnnpipe, name)\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
    )
    root = Path(rnnpipe.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root)
    with pytest.raises(AttributeError, match="module 'rnnpipe' has no attribute 'nothing'"):
        _ = rnnpipe.nothing


def test_the_saved_config_is_the_resolved_one(trained):
    saved = yaml.safe_load((trained.path / "config.yaml").read_text())
    assert saved["model"]["recurrence"]["cell"]["kind"] == "gru"
