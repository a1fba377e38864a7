"""Whether an export answers as its run does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.tasks.network import Array, Arrays, Function, Network

_TOLERANCE = 1e-4
_EQUAL = 0.999  # of ids; a tie may fall the other way


@dataclass(frozen=True)
class Call:
    """A call of a function of a network.

    Args:
        function: its name.
        arrays: its inputs.
        options: its keywords.
        outputs: what the run computed.
    """

    function: str
    arrays: Arrays
    options: Mapping[str, Any]
    outputs: Arrays


class Recorder(dict[str, Function]):
    """A network that records its calls.

    Args:
        network: what is called.
    """

    def __init__(self, network: Network) -> None:
        self.calls: list[Call] = []
        super().__init__({name: self._record(name, each) for name, each in network.items()})

    def _record(self, name: str, function: Function) -> Function:
        def call(arrays: Arrays, **options: Any) -> Arrays:
            outputs = function(arrays, **options)
            self.calls.append(Call(name, dict(arrays), options, outputs))
            return outputs

        return call


def check_export(export: Network, calls: Iterable[Call], where: str) -> dict[str, Any]:
    """Compares the outputs of an export with those of its run.

    Args:
        export: the network of the export.
        calls: of the network of the run.
        where: the export, for messages.

    Returns:
        The number of rows, the fraction of integers that are equal, and the largest difference of
        other numbers, where all integers of their row are equal.

    Raises:
        UserError: less than 99.9 % of the integers are equal, or numbers differ by more than 1e-4.
    """
    rows, equal, largest = 0, [np.ones(0, bool)], 0.0
    for call in calls:
        outputs = export[call.function](call.arrays, **call.options)
        same = np.ones(len(next(iter(call.outputs.values()))), bool)
        for name, expected in call.outputs.items():
            if np.issubdtype(expected.dtype, np.integer):
                matches = _match(outputs[name], expected)
                equal.append(matches.ravel())
                same &= matches.reshape(len(same), -1).all(axis=1)
        for name, expected in call.outputs.items():
            if not np.issubdtype(expected.dtype, np.integer):
                largest = max(largest, _difference(outputs[name][same], expected[same]))
        rows += len(same)
    integers = np.concatenate(equal)
    fraction = float(integers.mean()) if integers.size else 1.0
    if fraction < _EQUAL or not largest <= _TOLERANCE:
        got = f"{100 * fraction:.2f} % equal ids, and numbers that differ by {largest:.1e}"
        raise UserError(where, "the answers of the run", got, "report it with the run's config")
    return {"rows": rows, "equal_ids": fraction, "largest_difference": largest}


def _match(found: Array, expected: Array) -> Array:
    return found == expected if found.shape == expected.shape else np.zeros(expected.shape, bool)


def _difference(found: Array, expected: Array) -> float:
    """The largest difference, relative where numbers are large."""
    if found.shape != expected.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)
    return float(np.where(found == expected, 0.0, difference).max(initial=0.0))
