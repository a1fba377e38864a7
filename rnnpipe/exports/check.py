"""Whether an export answers as its run does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.tasks.network import Array, Arrays, Function, Network

_TOLERANCE = 1e-4
_EQUAL = 0.999  # of ids; a tie may fall the other way
_LARGEST = "largest_difference"


@dataclass(frozen=True)
class Call:
    """A call of a function of a network.

    Args:
        function: its name.
        arrays: its inputs.
        options: its keywords.
        outputs: what the run computed.
        made_up: whether its inputs are no records.
    """

    function: str
    arrays: Arrays
    options: Mapping[str, Any]
    outputs: Arrays
    made_up: bool = False


class Recorder(dict[str, Function]):
    """A network that records its calls.

    Args:
        network: what is called.
    """

    def __init__(self, network: Network) -> None:
        self.calls: list[Call] = []
        self.made_up = False  # whether the inputs of the calls to come are no records
        super().__init__({name: self._record(name, each) for name, each in network.items()})

    def _record(self, name: str, function: Function) -> Function:
        def call(arrays: Arrays, **options: Any) -> Arrays:
            outputs = function(arrays, **options)
            self.calls.append(Call(name, dict(arrays), options, outputs, self.made_up))
            return outputs

        return call


@dataclass(frozen=True)
class Comparison:
    """How far the outputs of an export are those of its run.

    Args:
        rows: the number that was compared.
        made_up_rows: those of them whose inputs are no records.
        equal_ids: the fraction of integers that are equal.
        largest_difference: of other numbers, where all integers of their row are equal; relative
            where the numbers are large.
    """

    rows: int
    made_up_rows: int
    equal_ids: float
    largest_difference: float

    def check(self, where: str) -> None:
        """Refuses an export that computes something else than its run.

        Args:
            where: the export, for messages.

        Raises:
            UserError: less than 99.9 % of the integers are equal, or numbers differ by more than
                1e-4.
        """
        if self.equal_ids < _EQUAL or not self.largest_difference <= _TOLERANCE:
            got = (
                f"{100 * self.equal_ids:.2f} % equal ids, and numbers that differ by "
                f"{self.largest_difference:.1e}"
            )
            raise UserError(where, "the answers of the run", got, "report it with the run's config")

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values; outputs of other shapes have no largest difference."""
        values = asdict(self)
        return values if math.isfinite(self.largest_difference) else {**values, _LARGEST: None}


def compare_calls(export: Network, calls: Iterable[Call]) -> Comparison:
    """Compares the outputs of an export with those of its run.

    Args:
        export: the network of the export.
        calls: of the network of the run.
    """
    return compare_outputs(
        (call, export[call.function](call.arrays, **call.options)) for call in calls
    )


def compare_outputs(pairs: Iterable[tuple[Call, Arrays]]) -> Comparison:
    """The same of outputs that are computed already.

    Args:
        pairs: a call of the network of the run, and what that of the export computes of it.
    """
    rows, made_up, equal, largest = 0, 0, [np.ones(0, bool)], 0.0
    for call, outputs in pairs:
        same = np.ones(len(next(iter(call.outputs.values()))), bool)
        for name, expected in call.outputs.items():
            if _is_exact(expected):
                matches = _match(outputs[name], expected)
                equal.append(matches.ravel())
                same &= matches.reshape(len(same), -1).all(axis=1)
        for name, expected in call.outputs.items():
            if same.any() and not _is_exact(expected):
                largest = max(largest, _difference(outputs[name][same], expected[same]))
        rows += len(same)
        made_up += len(same) * call.made_up
    integers = np.concatenate(equal)
    fraction = float(integers.mean()) if integers.size else 1.0
    return Comparison(rows, made_up, fraction, largest)


def _is_exact(values: Array) -> bool:
    return not np.issubdtype(values.dtype, np.floating)


def _match(found: Array, expected: Array) -> Array:
    return found == expected if found.shape == expected.shape else np.zeros(expected.shape, bool)


def _bound(values: Array) -> Array:
    """Finite numbers for infinite ones, as LiteRT writes them into graphs; NaN stays."""
    most = np.finfo(values.dtype).max
    return np.clip(values, -most, most)


def _difference(found: Array, expected: Array) -> float:
    """The largest difference, relative where numbers are large; infinite where one is NaN."""
    if found.shape != expected.shape:
        return float("inf")
    found, expected = map(_bound, (found, expected))
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    difference = np.where(same, 0.0, difference)
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))
