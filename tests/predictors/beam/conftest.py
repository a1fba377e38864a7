"""An export, a job by the command line, and what it has written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnpipe.cli import main
from tests.predictors.beam.handmade import write_export


@pytest.fixture(scope="session")
def export(tmp_path_factory) -> Path:
    """The export of a text classifier that knows ten words."""
    return write_export(tmp_path_factory.mktemp("models") / "export")


@pytest.fixture
def predict(export, monkeypatch, tmp_path) -> Callable[..., int]:
    """Runs a job in an empty folder; returns its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, output: object = "out", model: object = export) -> int:
        options = [] if "--workers" in words or "--" in words else ["--workers", "1"]
        return main(["predict", str(model), "--output", str(output), *options, *map(str, words)])

    return run


def read_rows(folder: Path) -> list[dict]:
    """The rows of all shards, in their order."""
    paths = sorted(folder.glob("predictions-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def read_letters(folder: Path) -> list[dict]:
    """The dead letters."""
    return list(map(json.loads, (folder / "dead_letters-00000.jsonl").read_text().splitlines()))


def read_summary(folder: Path) -> dict:
    """The content of the summary."""
    return json.loads((folder / "summary.json").read_text())
