"""Losses and metrics of every epoch of a training."""

import csv
from pathlib import Path


def read_history(path: Path) -> dict[str, list[float]]:
    """The columns of a history file: a value for every epoch, by name; none before the first one.

    A row that a training is just writing does not count.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rows = list(csv.DictReader(line for line in text.splitlines(True) if line.endswith("\n")))
    names = [name for name in (rows[0] if rows else ()) if name != "epoch"]
    return {name: [float(row[name]) for row in rows] for name in names}
