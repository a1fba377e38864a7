"""Batches of values to shuffle: Beam's cost grows with the elements, not with the bytes."""

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

MAX_BATCH_BYTES = 32 << 20
"""The bytes that a worker collects before it emits its batches."""

_PROTOCOL = 5

EMPTY_BATCH = b""
"""A batch without values."""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How values are grouped by key.

    A local runner holds what it shuffles in the memory of the main process. There, batches are
    spilled to files, and only their offsets go through the runner.

    Args:
        folder: where batches are spilled; None: the batches themselves go through the runner.
        buckets: the number of groups for values that have no shard. The result does not depend on
            it; a worker holds one bucket at a time.
    """

    folder: Path | None = None
    buckets: int = 64

    def bucket_of(self, text: str) -> int:
        """The bucket of all values that share this text, which may be a file's odd name."""
        return zlib.crc32(text.encode(errors="surrogatepass")) % self.buckets


class BatchForShuffle(beam.PTransform):
    """Pairs of key and value → few pairs of key and batch, to be grouped and unbatched.

    Args:
        key_type: the type of the keys; Beam chooses a quick coder by it.
        shuffle: how the batches are transferred.
    """

    def __init__(self, key_type: Any, shuffle: Shuffle) -> None:
        super().__init__()
        self._output_type, self._folder = tuple[key_type, bytes], shuffle.folder

    def expand(self, pairs: Any) -> Any:
        """Applies the transform; Beam calls it."""
        pack = beam.ParDo(_BatchFn(self._folder))
        return pairs | "Batch" >> pack.with_output_types(self._output_type)


@dataclass(frozen=True, slots=True)
class _SpilledBatch:
    """The location of a spilled batch."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class _BatchFn(beam.DoFn):
    """Batches the values of a bundle by key; a batch is the concatenation of their pickles."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder

    def start_bundle(self) -> None:
        self._pending: defaultdict[Any, bytearray] = defaultdict(bytearray)
        self._bytes = 0

    def process(self, pair: tuple[Any, Any]) -> Iterator[tuple[Any, bytes]]:
        key, value = pair
        pickled = pickle.dumps(value, _PROTOCOL)
        self._pending[key] += pickled
        self._bytes += len(pickled)
        if self._bytes >= MAX_BATCH_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[Any]:
        for batch in self._flush():
            yield GlobalWindows.windowed_value_at_end_of_window(batch)

    def _flush(self) -> list[tuple[Any, bytes]]:
        pending = self._pending
        self.start_bundle()
        if self._folder is None or not pending:
            return [(key, bytes(batch)) for key, batch in pending.items()]
        path, sent = self._folder / uuid.uuid4().hex, []
        with path.open("wb") as file:
            for key, batch in pending.items():
                stored = _SpilledBatch(path, file.tell(), len(batch))
                file.write(batch)
                sent.append((key, pickle.dumps(stored, _PROTOCOL)))
        return sent


def unbatch(batches: Iterable[bytes]) -> Iterator[Any]:
    """Yields the values of all batches."""
    for batch in batches:
        for value in _load_all(batch):
            if isinstance(value, _SpilledBatch):
                yield from _load_all(value.read())
            else:
                yield value


def _load_all(batch: bytes) -> Iterator[Any]:
    stream = io.BytesIO(batch)
    while stream.tell() < len(batch):
        yield pickle.load(stream)
