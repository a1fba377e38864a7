"""Tiny runs of the shipped configs, from raw data to report."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tensorflow_datasets as tfds

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
        return TinyRun(folder, scores, [json.loads(line) for line in lines], printed)

    return run
