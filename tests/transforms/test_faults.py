"""A small share of what `python -m tools.cluster.faults` tries."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.cluster
@pytest.mark.parametrize(
    "fault", ["worker", "forks", "main", "target", "store-main", "store-target"]
)
def test_a_hindered_build_leaves_nothing_or_a_whole_data_set(fault):
    command = [sys.executable, "-m", "tools.cluster.faults", "--trials", "2", "--faults", fault]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
