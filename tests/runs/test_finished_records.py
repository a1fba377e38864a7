"""Finished records are trained on and scored without Beam and TensorFlow Datasets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import rnnpipe
from rnnpipe.requirements import INCLUDES, MODULES

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"train", *INCLUDES["train"]}


def test_what_builds_records_need_not_be_installed(tmp_path):
    settings = {
        "data.directory": str(tmp_path / "records"),
        "data.source.sentences": 200,
        "model.embedding.size": 4,
        "model.recurrence.cell.units": 3,
        "train.epochs": 1,
    }
    rnnpipe.build("sentiment", settings, verbose=False)
    absent = MODULES.keys() - NEEDED - {"report"}
    assert "build" in absent
    done = subprocess.run(
        [sys.executable, "-m", "tests.runs.finished_records", json.dumps(settings), *absent],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
