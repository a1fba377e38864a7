"""Values that travel between workers in parcels: Beam's cost is by the element, not by the byte."""

import io
import pickle
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

MOST_BYTES = 32 << 20
"""How much a worker packs before it sends its parcels, in bytes."""

_PROTOCOL = 5

EMPTY = b""
"""A parcel without values."""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How values are brought together.

    A local runner keeps what it shuffles in the memory of the main process. There, parcels wait in
    files instead, and only their places go through the runner.

    Args:
        folder: where the files lie; None: parcels themselves go through the runner.
        buckets: in how many groups values are brought together that have no shard. What comes out
            does not depend on it; a worker holds a bucket at a time.
    """

    folder: Path | None = None
    buckets: int = 64

    def bucket_of(self, text: str) -> int:
        """The bucket of all that has this text in common."""
        return zlib.crc32(text.encode()) % self.buckets


class Parcels(beam.PTransform):
    """Pairs of key and value → a few pairs of key and parcel, to be grouped and unpacked.

    Args:
        key_type: the type of the keys; Beam chooses a quick coder by it.
        shuffle: how the parcels travel.
    """

    def __init__(self, key_type: Any, shuffle: Shuffle) -> None:
        super().__init__()
        self._output_type, self._folder = tuple[key_type, bytes], shuffle.folder

    def expand(self, pairs: Any) -> Any:
        """Applies the transform; Beam calls it."""
        pack = beam.ParDo(_Pack(self._folder))
        return pairs | "Pack" >> pack.with_output_types(self._output_type)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where a parcel waits."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class _Pack(beam.DoFn):
    """Packs the values of a bundle by their keys: a parcel is their pickles in a row."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder

    def start_bundle(self) -> None:
        self._packed: defaultdict[Any, bytearray] = defaultdict(bytearray)
        self._bytes = 0

    def process(self, pair: tuple[Any, Any]) -> Iterator[tuple[Any, bytes]]:
        key, value = pair
        pickled = pickle.dumps(value, _PROTOCOL)
        self._packed[key] += pickled
        self._bytes += len(pickled)
        if self._bytes >= MOST_BYTES:
            yield from self._send()

    def finish_bundle(self) -> Iterator[Any]:
        for parcel in self._send():
            yield GlobalWindows.windowed_value_at_end_of_window(parcel)

    def _send(self) -> list[tuple[Any, bytes]]:
        packed = self._packed
        self.start_bundle()
        if self._folder is None or not packed:
            return [(key, bytes(parcel)) for key, parcel in packed.items()]
        path, sent = self._folder / uuid.uuid4().hex, []
        with path.open("wb") as file:
            for key, parcel in packed.items():
                stored = _Stored(path, file.tell(), len(parcel))
                file.write(parcel)
                sent.append((key, pickle.dumps(stored, _PROTOCOL)))
        return sent


def unpack(parcels: Iterable[bytes]) -> Iterator[Any]:
    """The values of all parcels."""
    for parcel in parcels:
        for value in _load_all(parcel):
            if isinstance(value, _Stored):
                yield from _load_all(value.read())
            else:
                yield value


def _load_all(parcel: bytes) -> Iterator[Any]:
    stream = io.BytesIO(parcel)
    while stream.tell() < len(parcel):
        yield pickle.load(stream)
