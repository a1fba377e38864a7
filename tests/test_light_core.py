"""The light core: layers and decoding need Keras, NumPy and a backend, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnpipe.requirements import MODULES

SCRIPT = Path(__file__).with_name("light_core.py")
BACKENDS = {
    "jax": {"jax"},
    "tensorflow": {"tensorflow", "tensorboard", "google.protobuf"},
    "torch": {"torch", "fsspec", "jinja2"},
}
"""By backend, the modules of extras that it needs."""


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_runs_where_all_extras_are_absent(backend, tmp_path):
    pytest.importorskip(backend)
    extras = {module for modules in MODULES.values() for module in modules}
    blocked = extras - BACKENDS[backend] - {"rich"}  # which Keras needs itself
    done = subprocess.run(
        [sys.executable, SCRIPT, *sorted(blocked)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SCRIPT.parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
