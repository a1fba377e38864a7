import sys
from typing import Any

import pytest

import rnnpipe
from rnnpipe.sweeps import job

SPACE: dict[str, Any] = {
    "parameters": {
        "model.recurrence.cell.units": {"kind": "integer", "low": 8, "high": 72, "step": 8},
        "model.pooling": {"kind": "choice", "values": [{"kind": "max"}, {"kind": "mean"}]},
    },
    "pruning": None,
}


@pytest.fixture
def fake(monkeypatch):
    """Trials train nothing, see `fake_child`; returns a setter of its environment."""
    monkeypatch.setattr(job, "COMMAND", (sys.executable, "-m", "tests.sweeps.fake_child"))
    return monkeypatch.setenv


@pytest.fixture
def sweep(tmp_path):
    """Makes a sweep of the embedded texts in a folder of the test."""

    def sweep(space=SPACE, *, name="sweep", **options):
        options = {"trials": 6, "output": tmp_path / name, "verbose": False, **options}
        return rnnpipe.sweep("sentiment", space, **options)

    return sweep
