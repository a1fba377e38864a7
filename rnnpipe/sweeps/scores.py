"""The score of a trial, by the histories of its run."""

import math
from pathlib import Path

from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.history import find_best, read_history

Monitor = tuple[str, str]
"""The quantity by which epochs are compared, and `min` or `max`."""


def read_epochs(run: RunDirectory, monitor: Monitor) -> list[float]:
    """The monitored quantity after each epoch of a run, of the first member of an ensemble."""
    return read_history(run, run.history).get(monitor[0], [])


def score_run(run: RunDirectory, monitor: Monitor) -> float | None:
    """The best value of the monitored quantity; None where no epoch has any.

    Of an ensemble it is the mean of the members' best values. Further phases of training count as
    further epochs.

    Args:
        run: a trained run.
        monitor: the quantity.
    """
    members = [run.history, *sorted(run.members.glob("*/history.csv"))]
    best = [_find_best(run, path, monitor) for path in members]
    values = [value for value in best if value is not None]
    if not values:
        return None
    phases = sorted(run.phases.glob("*/history.csv"))
    later = [value for path in phases if (value := _find_best(run, path, monitor)) is not None]
    return (min if monitor[1] == "min" else max)([sum(values) / len(values), *later])


def _find_best(run: RunDirectory, path: Path, monitor: Monitor) -> float | None:
    history = read_history(run, path)
    values = history.get(monitor[0], ())
    if not any(math.isfinite(value) for value in values):
        return None
    return values[find_best(history, monitor, path)]
