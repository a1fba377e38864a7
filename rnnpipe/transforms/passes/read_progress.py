"""Reads raw data and reports how many records have been read so far."""

import json
import pickle
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.sources.raw_files import check_name
from rnnpipe.sources.source import Reference, Source
from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.passes.scratch import scratch_folder, write_lines

READ_PROGRESS = "read"
_SECONDS = 1.0
_SECONDS_OF_STORES = 10.0


def create_partitions(partitions: Iterable[Any]) -> beam.PTransform:
    """The partitions of a source as elements of a pipeline, pickled.

    They may be any values, and Beam's coders of text refuse names of files that are not UTF-8.
    """
    return beam.Create([pickle.dumps(partition) for partition in partitions], reshuffle=True)


class ReadPartitions(beam.DoFn):
    """Pickled partitions of the raw data → raw records; writes its progress to a scratch file.

    Args:
        source: reads the partitions.
        folder: where the records are built.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        super().__init__()
        self._source, self._folder = source, folder
        self._seconds = _SECONDS_OF_STORES if isinstance(folder, StorePath) else _SECONDS

    def setup(self) -> None:
        """Resets the counters; Beam calls it once for each instance."""
        self._name, self._last = uuid.uuid4().hex, time.monotonic()
        self._read = self._dead = 0

    def process(self, partition: bytes) -> Iterator[Reference | DeadLetter]:
        """Reads a partition; Beam calls it."""
        for raw in read_raw(self._source, partition):
            self._read += 1
            self._dead += isinstance(raw, DeadLetter)
            if time.monotonic() - self._last >= self._seconds:
                self._last = time.monotonic()
                counts = json.dumps([self._read, self._dead])
                write_lines(self._folder, READ_PROGRESS, self._name, [counts])
            yield raw


def read_raw(source: Source, partition: bytes) -> Iterator[Reference | DeadLetter]:
    """The raw records of a pickled partition, dead letters where nothing can store their names."""
    return map(_check_names, source.read(pickle.loads(partition)))


def _check_names(raw: Reference | DeadLetter) -> Reference | DeadLetter:
    """The raw record, or a dead letter where nothing can store what it is called."""
    if isinstance(raw, DeadLetter):
        return raw
    try:
        check_name(raw.key)
        check_name(raw.unit)
    except BadRecord as bad:
        return DeadLetter(raw.key, raw.unit, bad.step, bad.reason)
    return raw


def count_records_read(folder: Path) -> tuple[int, int]:
    """How many raw records have been read, and how many of them are dead letters.

    Records that are read again after a fault count twice: the numbers are for display only.
    """
    counts = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in scratch_folder(folder, READ_PROGRESS).iterdir()
    ]
    return sum(read for read, _ in counts), sum(dead for _, dead in counts)
