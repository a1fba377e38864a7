"""Values that travel between workers in parcels: Beam's cost is by the element, not by the byte."""

import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

_MOST_VALUES = 10_000
_PROTOCOL = 5

EMPTY = pickle.dumps([], _PROTOCOL)
"""A parcel without values."""


class Parcels(beam.PTransform):
    """Pairs of key and value → a few pairs of key and parcel, to be grouped and unpacked.

    Args:
        key_type: the type of the keys; Beam chooses a quick coder by it.
    """

    def __init__(self, key_type: Any) -> None:
        super().__init__()
        self._output_type = tuple[key_type, bytes]

    def expand(self, pairs: Any) -> Any:
        """Applies the transform; Beam calls it."""
        return pairs | "Pack" >> beam.ParDo(_Pack()).with_output_types(self._output_type)


class _Pack(beam.DoFn):
    """Packs the values of a bundle by their keys."""

    def start_bundle(self) -> None:
        self._packed: defaultdict[Any, list[Any]] = defaultdict(list)
        self._values = 0

    def process(self, pair: tuple[Any, Any]) -> Iterator[tuple[Any, bytes]]:
        key, value = pair
        self._packed[key].append(value)
        self._values += 1
        if self._values == _MOST_VALUES:
            yield from self._send()

    def finish_bundle(self) -> Iterator[Any]:
        for parcel in self._send():
            yield GlobalWindows.windowed_value_at_end_of_window(parcel)

    def _send(self) -> Iterator[tuple[Any, bytes]]:
        for key, values in self._packed.items():
            yield key, pickle.dumps(values, _PROTOCOL)
        self.start_bundle()


def unpack(parcels: Iterable[bytes]) -> Iterator[Any]:
    """The values of all parcels."""
    for parcel in parcels:
        yield from pickle.loads(parcel)
