"""The classes of a data set: what the training split shows, in an order of their own."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from rnnpipe.errors import UserError


def learn_labels(labels: Iterable[str]) -> list[str]:
    """The names of the classes in order, numbers by their value before all else.

    Example:
        >>> learn_labels({"neg": 3, "10": 1, "9": 2, "-1": 1})
        ['-1', '9', '10', 'neg']
    """
    return sorted(labels, key=_order)


def too_few_labels(what: str, *labels: Iterable[str]) -> UserError:
    """What is wrong where the training split shows one class or none.

    Args:
        what: what has classes, e.g. `images of two classes or more`.
        labels: the classes, of several kinds where there are such.

    Example:
        >>> print(too_few_labels("images of two classes or more", ["cat"]))
        data.source: expected images of two classes or more to train on, got cat alone; correct \
the raw data, or hold out less with data.splits
    """
    got = " and ".join(f"{name} alone" for some in labels for name in some) or "none"
    fix = "correct the raw data, or hold out less with data.splits"
    return UserError("data.source", f"{what} to train on", got, fix)


def save_labels(path: Path, labels: list[str]) -> None:
    """Writes names, one on each line of a JSON list."""
    path.write_text(json.dumps(labels, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def _order(label: str) -> tuple[bool, Decimal, str]:
    """By value and then by name; Python makes an `int` of 4300 digits at most."""
    is_number = label.removeprefix("-").isdecimal()
    return not is_number, Decimal(label if is_number else 0), label
