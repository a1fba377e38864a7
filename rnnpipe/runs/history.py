"""Losses and metrics of every epoch of a training."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory


def read_history(run: RunDirectory, path: Path) -> dict[str, list[float]]:
    """The columns of a history file: a value for every epoch, by name; none before the first one.

    A row that a training is just writing does not count. The file is sealed when that has ended.

    Args:
        run: the run.
        path: the file, of its model, of a member or of a phase.

    Raises:
        UserError: it is damaged.
    """
    if run.seal.expects(path):
        run.seal.check(path)
    elif not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        rows = list(csv.DictReader(line for line in lines if line.endswith("\n")))
        _ = [int(row["epoch"]) for row in rows]
        names = [name for name in (rows[0] if rows else ()) if name != "epoch"]
        return {name: [float(row[name]) for row in rows] for name in names}
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        got, fix = f"one that is damaged ({error})", "resume the run, which writes it anew"
        raise UserError(str(path), "the history of a training", got, fix) from error


def find_best(history: Mapping[str, Sequence[float]], monitor: tuple[str, str], path: Path) -> int:
    """The place of the epoch whose weights were kept.

    Args:
        history: its columns.
        monitor: the quantity by which epochs were compared, and `min` or `max`.
        path: the file of the history.

    Raises:
        UserError: there is no number in the column of the monitored quantity.
    """
    name, mode = monitor
    values = history.get(name, ())
    if all(map(math.isnan, values)):
        columns = ", ".join(history) or "none"
        got = "none" if name in history else f"the columns {columns:.200}"
        raise UserError(str(path), f"a number of {name} in an epoch", got, "train the run again")
    numbers = [value for value in values if not math.isnan(value)]
    return values.index(min(numbers) if mode == "min" else max(numbers))
