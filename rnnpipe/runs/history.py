"""Losses and metrics of every epoch of a training."""

import csv
from pathlib import Path


def read_history(path: Path) -> dict[str, list[float]]:
    """The columns of a history file: a value for every epoch, by name."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"}
