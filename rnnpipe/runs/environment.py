"""What a run ran on."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_LIBRARIES = (
    "rnnpipe",
    "tensorflow",
    "keras",
    "apache-beam",
    "tensorflow-datasets",
    "numpy",
    "pillow",
    "sentencepiece",
)


def describe_environment() -> dict[str, Any]:
    """Versions, machine and command of this process; JSON values."""
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "libraries": dict(filter(None, map(_installed, _LIBRARIES))),
    }


def _installed(name: str) -> tuple[str, str] | None:
    """A library and its version; None where it is not installed, as Beam where nothing is built."""
    try:
        return name, version(name)
    except PackageNotFoundError:
        return None
