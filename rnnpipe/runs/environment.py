"""What a run ran on."""

import os
import platform
import sys
from importlib.metadata import version
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
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
