"""A run is scored on other data, if its model reads the records of it."""

import csv
import json

import pytest

import rnnpipe
from tests.runs.handmade import make_run
from tests.runs.trainings import call

TRAIN = [("a good film", "pos"), ("a bad film", "neg"), ("very good", "pos"), ("so bad", "neg")]
OWN, OTHER = TRAIN[:2], [("a very good film", "neg"), ("bad", "neg"), ("good", "pos")]
SETTINGS = {"model.embedding.size": 4, "model.recurrence.cell.units": 3}


def write_tables(folder, **splits):
    folder.mkdir()
    for split, rows in {"validation": OWN, **splits}.items():
        with (folder / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    return folder


@pytest.fixture
def run(tmp_path):
    """A run whose weights are drawn."""
    raw = write_tables(tmp_path / "raw", train=TRAIN, test=OWN)
    source = {"data.source": {"kind": "table", "path": str(raw)}}
    config = rnnpipe.load_config("sentiment", {**SETTINGS, **source})
    records = rnnpipe.build(config, verbose=False)
    make_run(tmp_path / "runs" / "run", config, records, seed=1)
    return tmp_path / "runs" / "run"


def test_files_within_the_folder_of_a_source_stay_there(tmp_path, monkeypatch):
    raw = write_tables(tmp_path / "raw", train=TRAIN, test=OWN)
    files = {split: f"{split}.csv" for split in ("train", "validation", "test")}
    source = {"data.source": {"kind": "table", "path": "raw", "files": files}}
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    config = rnnpipe.load_config("sentiment", {**SETTINGS, **source})
    run = make_run(tmp_path / "runs/run", config, rnnpipe.build(config, verbose=False), seed=1)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert call("evaluate", run.path) == 0
    assert f"path: {raw}\n" in (run.path / "config.yaml").read_text()
    copied = raw.rename(tmp_path / "moved")
    assert call("build", run.path / "config.yaml", "--set", f"data.source.path={copied}") == 0


def test_a_run_is_scored_on_another_test_split(run, tmp_path, capsys):
    other = write_tables(tmp_path / "other", train=TRAIN, test=OTHER)
    options = ["--set", f"data.source.path={other}"]
    assert call("evaluate", run, *options) == 2
    assert "build them with `rnnpipe build`" in capsys.readouterr().err
    assert call("build", run / "config.yaml", *options) == 0
    assert call("evaluate", run, *options) == 0
    assert "not the records that the run was trained on" in " ".join(
        capsys.readouterr().out.split()
    )
    (folder,) = (run / "evaluations").iterdir()
    rows = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    found = rnnpipe.load(run).predict(text=[text for text, _ in OTHER])
    answers = {row["text"]: row["prediction"] for row in rows}
    expected = zip(OTHER, found, strict=True)
    assert answers == {text: each.answers[0].text for (text, _), each in expected}
    right = sum(answers[text] == label for text, label in OTHER)
    scores = json.loads((folder / "metrics.json").read_text())["test"]
    assert scores["accuracy"] == pytest.approx(right / len(OTHER))
    assert "Trained on others, scored on 3." in (folder / "report.html").read_text()


def test_records_of_another_vocabulary_are_refused(run, tmp_path, capsys):
    other = write_tables(tmp_path / "other", train=[*TRAIN, ("dull", "neg")], test=OTHER)
    options = ["--set", f"data.source.path={other}"]
    assert call("build", run / "config.yaml", *options) == 0
    capsys.readouterr()
    assert call("evaluate", run, *options) == 2
    expected = "expected records that a model of the run reads, got another vocabulary, which is"
    assert expected in capsys.readouterr().err
    assert call("evaluate", run, "--set", "data.text.max_tokens=3") == 2
    assert "data.text.max_tokens: expected a key of evaluate, or where" in capsys.readouterr().err
    assert not (run / "evaluations").exists()
