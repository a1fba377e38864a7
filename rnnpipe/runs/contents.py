"""The JSON files of a run, each with what it must hold."""

from dataclasses import dataclass, field
from typing import Any

from rnnpipe.runs.directory import RunDirectory

Scores = dict[str, dict[str, float]]
"""By split, a number for every metric."""


@dataclass(frozen=True)
class _Environment:
    records: str
    settings: dict[str, Any]
    records_from: dict[str, Any] = field(default_factory=dict)
    resumed: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Start:
    run: str
    state: str
    taken: dict[str, str]
    left: dict[str, str]
    unused: list[str]


def read_environment(run: RunDirectory) -> dict[str, Any]:
    """What a run ran on, and its settings and records when it began.

    Raises:
        UserError: the file is missing, damaged, or has something else in it.
    """
    return run.seal.read_json(run.environment, _Environment)


def read_start(run: RunDirectory) -> dict[str, Any]:
    """What a run took of the weights of another; raises as `read_environment`."""
    return run.seal.read_json(run.start_report, _Start)


def read_scores(run: RunDirectory) -> Scores:
    """The scores of every split evaluated; raises as `read_environment`."""
    return run.seal.read_json(run.metrics, Scores)
