"""Tiny runs of the shipped configs, from raw data to report."""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tensorflow_datasets as tfds

import rnnpipe
from rnnpipe import cli

REAL = "[real/"
WHOLE = {
    "checkpoints",
    "config.yaml",
    "environment.json",
    "history.csv",
    "metrics.json",
    "model.keras",
    "predictions.jsonl",
    "report.html",
    "seal.json",
    "tensorboard",
    "vocabulary",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The configs for real data make the runs of the embedded ones again, on other sources."""
    for item in items:
        if REAL in item.name:
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class TinyRun:
    """What a run left: its folder, the test split's scores and predictions, what it printed."""

    folder: Path
    scores: dict[str, float]
    predictions: list[dict[str, Any]]
    printed: str


@pytest.fixture
def run_tiny(tmp_path, capsys):
    """Runs a config with settings that make it tiny, and checks what every run leaves."""

    def run(config: Path, settings: list[str], more: Collection[str] = ()) -> TinyRun:
        records = tmp_path / "records"
        options = [f"data.directory={records}", "build.workers=1", *settings]
        arguments = ["run", config, "--runs-dir", tmp_path / "runs"]
        arguments += [part for option in options for part in ("--set", option)]
        assert cli.main([str(argument) for argument in arguments]) == 0

        (folder,) = (tmp_path / "runs" / config.stem).iterdir()
        assert {path.name for path in folder.iterdir()} == {*WHOLE, *more}
        scores = json.loads((folder / "metrics.json").read_text())["test"]
        with (folder / "predictions.jsonl").open() as file:  # a text may hold other line breaks
            lines = list(file)
        splits = tfds.builder_from_directory(str(records)).info.splits
        assert len(lines) == splits["test"].num_examples
        printed = capsys.readouterr().out
        assert "Built records" in printed
        assert str(folder) in printed.replace("\n", "")
        predictions = [json.loads(line) for line in lines]
        check_corpus_metrics(rnnpipe.load(folder).task, predictions, scores)
        return TinyRun(folder, scores, predictions, printed)

    return run


def check_corpus_metrics(task, predictions, scores):
    """The metrics that runs are compared by follow from the predictions."""
    metrics = task.corpus_metrics()
    assert metrics[0].name == task.main_metric
    expected = {metric.name: scores.get(metric.name, math.nan) for metric in metrics}
    values = {metric.name: metric.score(predictions) for metric in metrics}
    assert values == pytest.approx(expected, rel=1e-5, nan_ok=True)
    assert all(field in row for row in predictions for field in task.record_fields[:1])
