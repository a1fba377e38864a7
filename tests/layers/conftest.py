"""What the tests of the layers share."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def fresh_process() -> Callable[..., str]:
    """Runs Python source in a fresh process and returns what it prints."""

    def run(source: str, *arguments: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-c", source, *arguments], capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    return run
