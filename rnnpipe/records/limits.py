"""What the fields of records may hold in one data set: its names, its vocabulary, its lengths."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.codec import decode_example
from rnnpipe.records.inventory import FIX
from rnnpipe.records.names import read_names
from rnnpipe.records.specs import Field, RecordSpec
from rnnpipe.text.symbols import SYMBOLS_FILE, Symbols
from rnnpipe.text.tokenizer import MODEL_FILE, Tokenizer


class BadContent(Exception):
    """What a record must not hold.

    Args:
        expected: what would have been right.
        got: what it holds.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got = expected, got


@dataclass(frozen=True, slots=True)
class Limits:
    """What one field may hold.

    Args:
        least: the smallest number; None: any.
        most: the largest number; None: any.
        shortest: how many items a sequence has at least.
        longest: how many it has at most; None: any number.
    """

    least: int | None = None
    most: int | None = None
    shortest: int = 0
    longest: int | None = None

    @property
    def numbers(self) -> str:
        """The numbers, for people."""
        least = "any number" if self.least is None else f"numbers from {self.least}"
        return f"{least} to {self.most}" if self.most is not None else least

    @property
    def lengths(self) -> str:
        """The lengths, for people."""
        longest = "" if self.longest is None else f" to {self.longest:,}"
        return f"{self.shortest:,}{longest} items"


def find_limits(spec: RecordSpec, folder: Path, stats: Mapping[str, Any]) -> dict[str, Limits]:
    """The limits of every field, from what a build wrote beside the records.

    Args:
        spec: the kind of record.
        folder: the records directory; of a vocabulary that is not there nothing is known.
        stats: the content of `stats.json`.

    Raises:
        UserError: names or a vocabulary cannot be read.
    """
    limits = {}
    for name, field in spec.fields.items():
        names = folder / field.names
        most = _count_names(names) - 1 if names.is_file() else None
        lengths = _lengths(stats, name if not field.nested else "") or _lengths(stats, field.axis)
        # What is measured may be cut when it is stored, but is not stored where it is nothing.
        shortest = int(min(lengths) > 0) if lengths and field.is_list else 0
        longest = max(lengths) if lengths and field.is_list else None
        limits[name] = Limits(field.least, most, shortest, longest)
    return limits


def _lengths(stats: Mapping[str, Any], measure: str) -> set[int]:
    """The lengths that records of any split have by a measure of the build."""
    histograms = (
        split.get("histograms", {}).get(measure, {}) for split in stats["splits"].values()
    )
    return {int(value) for histogram in histograms for value in histogram}


def _count_names(path: Path) -> int:
    if path.name == MODEL_FILE:
        return Tokenizer.load(path.parent).vocabulary_size
    return Symbols.load(path.parent).size if path.name == SYMBOLS_FILE else len(read_names(path))


def read_record(
    spec: RecordSpec,
    limits: Mapping[str, Limits],
    serialised: bytes,
    where: str,
    fields: Collection[str] | None = None,
) -> dict[str, Any]:
    """The values of a record, which are what they may be; images are not decoded.

    Args:
        spec: the kind of record.
        limits: of every field.
        serialised: its bytes.
        where: its place, for messages.
        fields: which fields to decode; by default all.

    Raises:
        UserError: it is no such record, or holds what no record of the data set may hold.
    """
    try:
        record = decode_example(spec, serialised, fields)
    except ValueError as fault:
        expected, got = f"a record of the kind {spec.name}", f"something else ({fault})"
        raise UserError(where, expected, got, FIX) from fault
    try:
        check_contents(spec, limits, record)
    except BadContent as bad:
        raise UserError(where, bad.expected, bad.got, FIX) from bad
    return record


def check_contents(
    spec: RecordSpec, limits: Mapping[str, Limits], record: Mapping[str, Any]
) -> None:
    """Checks the values of a decoded record; images are not decoded.

    Args:
        spec: the kind of record.
        limits: of every field.
        record: the values of some fields.

    Raises:
        BadContent: one is what no record of the data set may hold.
    """
    axes: dict[str, tuple[str, int]] = {}
    for name, value in record.items():
        field = spec.fields[name]
        _check_numbers(name, field, limits[name], value)
        if not field.is_list:
            continue
        size, allowed = len(value), limits[name]
        if size < allowed.shortest or (allowed.longest is not None and size > allowed.longest):
            raise BadContent(f"{name} of {allowed.lengths}", f"{size:,}")
        other, equal = axes.setdefault(field.axis or name, (name, size))
        if size != equal:
            raise BadContent(f"as many of {name} as of {other}, {equal:,}", f"{size:,}")


def _check_numbers(name: str, field: Field, limits: Limits, value: Any) -> None:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise BadContent(f"finite numbers in {name}", "NaN or infinity")
        return
    if field.kind not in ("int64", "float32"):
        return
    numbers: Iterable[Any] = chain.from_iterable(value) if field.nested else value
    numbers = list(numbers) if field.sequence else [value]
    if field.kind == "float32" and not all(map(math.isfinite, numbers)):
        raise BadContent(f"finite numbers in {name}", "NaN or infinity")
    for extreme in (min(numbers), max(numbers)) if numbers else ():
        below = limits.least is not None and extreme < limits.least
        if below or (limits.most is not None and extreme > limits.most):
            raise BadContent(f"{limits.numbers} in {name}", f"{extreme}")
