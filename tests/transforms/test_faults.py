"""A small share of what `python -m tools.cluster.faults` tries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.cluster.components import default_home

HOME = default_home()  # not that of a test, which has a cache of its own
ROOT = Path(__file__).resolve().parents[2]
FAULTS = ("worker", "forks", "main", "target", "disk", "store-main", "store-target")


@pytest.mark.cluster
@pytest.mark.parametrize("fault", [*FAULTS, "taskmanager", "flink-main"])
def test_an_aborted_build_publishes_nothing_or_a_whole_data_set(fault):
    trials = "2" if fault in FAULTS else "1"
    command = [sys.executable, "-m", "tools.cluster.faults", "--trials", trials, "--faults", fault]
    flink = {**os.environ, "RNNPIPE_FLINK": str(HOME)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=flink)
    assert done.returncode == 0, done.stdout + done.stderr
    if "SKIPPED" in done.stdout:
        pytest.skip(f"NOTHING WAS TRIED: {done.stdout}")
    assert f"{trials} x not injected" not in done.stdout
