"""The reading of raw data, and word of how far it is."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.source import Reference, Source
from rnnpipe.storage.paths import StorePath
from rnnpipe.transforms.passes.scratch import work_folder, write_lines

READ = "read"
_SECONDS = 1.0
_SECONDS_OF_STORES = 10.0


class ReadPieces(beam.DoFn):
    """Pieces of raw data → what they hold; leaves word of how much that was, while it reads.

    Args:
        source: reads the pieces.
        folder: where the records are built.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        super().__init__()
        self._source, self._folder = source, folder
        self._seconds = _SECONDS_OF_STORES if isinstance(folder, StorePath) else _SECONDS

    def setup(self) -> None:
        """Begins to count; Beam calls it, once for each that works."""
        self._name, self._last = uuid.uuid4().hex, time.monotonic()
        self._read = self._dead = 0

    def process(self, piece: Any) -> Iterator[Reference | DeadLetter]:
        """Reads a piece; Beam calls it."""
        for raw in self._source.read(piece):
            self._read += 1
            self._dead += isinstance(raw, DeadLetter)
            if time.monotonic() - self._last >= self._seconds:
                self._last = time.monotonic()
                word = json.dumps([self._read, self._dead])
                write_lines(self._folder, READ, self._name, [word])
            yield raw


def count_read(folder: Path) -> tuple[int, int]:
    """How many raw records have been read, and how many of them are dead letters.

    What is read again after a fault counts twice: it is to be shown, not to be reckoned with.
    """
    words = [json.loads(path.read_text()) for path in work_folder(folder, READ).iterdir()]
    return sum(read for read, _ in words), sum(dead for _, dead in words)
