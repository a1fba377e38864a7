"""When a run began."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rnnpipe.storage.json_files import read_json_as

TIME = "%Y%m%d-%H%M%S"
"""The time in the name of the folder of a run."""

_NAME = re.compile(r"(\d{8}-\d{6})(?:-(\d{1,9}))?", re.ASCII)
_LEAST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Environment:
    started: str


def find_begin(name: str, environment: Path) -> tuple[datetime, bool]:
    """When a run began, and whether it is that run and no copy.

    Args:
        name: of its folder: the time, and which one it is of several in one second.
        environment: its `environment.json`, which is not checked: where it is damaged, whoever
            reads more of the run says so.
    """
    named = _NAME.fullmatch(name)
    try:
        started = read_json_as(_Environment, environment).started
        began = datetime.fromisoformat(started).astimezone(UTC)
    except (OSError, ValueError, OverflowError):
        began = _read_name(named) if named else _LEAST
    return began, named is not None


def _read_name(named: re.Match[str]) -> datetime:
    try:
        second = datetime.strptime(named[1], TIME).astimezone(UTC)
        return second + timedelta(microseconds=int(named[2] or 1))
    except (ValueError, OverflowError):  # 99999999-999999 is no time
        return _LEAST
