"""Keras' own suites pass, unchanged, with this package's layers in place of Keras'."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = ("lstm", "gru", "simple_rnn", "rnn", "bidirectional", "stacked_rnn_cells")
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


@pytest.mark.parametrize(
    "backend",
    ["tensorflow", *(pytest.param(name, marks=pytest.mark.slow) for name in ("jax", "torch"))],
)
def test_keras_own_suites_pass(tmp_path, backend):
    pytest.importorskip(backend)
    paths = os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "plugin", "-p", "no:cacheprovider"),
            *("-c", os.devnull, "--rootdir", str(tmp_path), "--pyargs"),
            *(f"keras.src.layers.rnn.{suite}_test" for suite in SUITES),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr[-2000:]
    assert "passed" in finished.stdout
