"""What a run ran on."""

import os
import platform
import sys
from collections.abc import Iterable
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

MACHINE = ("python", "platform", "processors", "libraries")
"""What of it may change the last bits of results."""


def describe_environment() -> dict[str, Any]:
    """Versions, machine and command of this process; JSON values."""
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": count_processors(),
        "libraries": find_versions(_LIBRARIES),
    }


def count_processors() -> int | None:
    """Those that this process may use, by which sums are split."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def find_versions(libraries: Iterable[str]) -> dict[str, str]:
    """The versions of those libraries that are installed, by name."""
    return dict(filter(None, map(_installed, libraries)))


def _installed(name: str) -> tuple[str, str] | None:
    """A library and its version; None where it is not installed, as Beam where nothing is built."""
    try:
        return name, version(name)
    except PackageNotFoundError:
        return None
