"""`rnnpipe` where some modules are not installed.

python -m tests.without_modules "MODULE …" VERB …
"""

import os
import subprocess
import sys
from pathlib import Path

from rnnpipe import cli
from rnnpipe.requirements import INCLUDES, MODULES
from tests.light_core import Absent

ROOT = Path(__file__).resolve().parents[1]


def run_with(extras, *program, cwd):
    """A Python program in a process where the modules of no other extra are installed."""
    wanted = {*extras, *(name for extra in extras for name in INCLUDES.get(extra, ()))}
    present = {module for extra in wanted for module in MODULES[extra]}
    absent = {module for modules in MODULES.values() for module in modules} - present
    return subprocess.run(
        [sys.executable, *program[:2], " ".join(absent), *program[2:]],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def call_with(extras, *command, cwd):
    """The same of a command."""
    return run_with(extras, "-m", "tests.without_modules", *command, cwd=cwd)


if __name__ == "__main__":
    Absent(sys.argv[1].split())
    sys.exit(cli.main(sys.argv[2:]))
