"""The places that rows come from: opened, checked, and cut into ranges."""

from __future__ import annotations

import glob
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from rnnpipe.errors import UserError
from rnnpipe.predictors.beam.ranges import (
    FileRange,
    ParquetRange,
    RowRange,
    TextRange,
    cut,
    open_parquet,
)
from rnnpipe.predictors.beam.records import Records
from rnnpipe.predictors.rows import PARQUET, STDIN, RowReader
from rnnpipe.records.layout import FINGERPRINT
from rnnpipe.records.manifest import MANIFEST
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import is_zipped, open_binary
from rnnpipe.sources.text.lines import Span, split_lines
from rnnpipe.sources.text.rows import fold_columns, parse_rows
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.passes.scratch import scratch_folder

_UNPACKED = "unpacked"


class Place(Protocol):
    """Where rows come from: a file, or a folder."""

    @property
    def columns(self) -> Sequence[str]:
        """Those that its rows have."""

    @property
    def notices(self) -> Sequence[str]:
        """What is not read, a sentence each."""

    def cut(self, room: int, size: int, folder: Path) -> Iterator[RowRange]:
        """All its rows in ranges.

        Args:
            room: the rows of the first range.
            size: the rows of all others, about: rows that can only be read together stay so.
            folder: where records or predictions are built, for scratch files.
        """


def find_places(inputs: Sequence[str]) -> list[str]:
    """The files and folders of arguments, of which some may be patterns, in order.

    Raises:
        UserError: nothing matches a pattern, or the argument is the standard input.
    """
    found = []
    for place in inputs:
        if place == STDIN:
            fix = "name files or folders, or predict without workers"
            raise UserError(f"--input {STDIN}", "files that workers can read", "a pipe", fix)
        path = as_path(place)
        if not any(sign in path.name for sign in "*?[") or path.exists():
            found.append(place)
            continue
        if isinstance(path, StorePath):
            matches = [str(match) for match in path.parent.glob(path.name)]
        else:
            matches = glob.glob(place, recursive=True)
        if not matches:
            fix = "correct the pattern"
            raise UserError(f"--input {place}", "files that match", "none", fix)
        found += sorted(matches, key=os.fsencode)
    return found


def open_place(place: str, reader: RowReader, split: str) -> Place:
    """Opens a file or a folder, and checks that it has the inputs.

    Args:
        place: its path.
        reader: reads its rows.
        split: of a records directory.

    Raises:
        UserError: there is no such place, it lacks an input, or it cannot be read.
    """
    check_encoding(reader.encoding)
    if as_path(place).is_dir():
        return _open_folder(as_path(place), reader, split)
    path = as_path(place).absolute()
    if not path.exists():
        got, fix = "nothing there", "name another one"
        raise UserError(f"--input {place}", "a file or a folder", got, fix)
    if path.suffix.lower() == PARQUET and reader.form is None:
        return ParquetFile.open(place, path, reader)
    try:
        return TextFile.open(place, path, reader)
    except UserError as fault:
        fix = fault.fix.replace("data.source.encoding", "--encoding")
        raise UserError(fault.where, fault.expected, fault.got, fix) from fault


def _open_folder(path: Path, reader: RowReader, split: str) -> Place:
    if (path / (MANIFEST if isinstance(path, StorePath) else FINGERPRINT)).is_file():
        return Records.open(path, reader, split)
    name, paths, notices = reader.list_folder(path)
    return Files([name], notices, paths)


@dataclass(frozen=True)
class TextFile:
    """A text or a table.

    Args:
        columns: those that its rows have.
        notices: what is not read, a sentence each.
        place: what messages call it.
        path: of the file.
        reader: of its rows.
    """

    columns: Sequence[str]
    notices: Sequence[str]
    place: str
    path: Path
    reader: RowReader

    @classmethod
    def open(cls, place: str, path: Path, reader: RowReader) -> TextFile:
        """Opens a file, and reads it to its end, so that a damaged one is noticed now."""
        columns, notices = list[str](), list[str]()
        if reader.check_file(path) or reader.form_of(path) == "text":
            columns, notices = reader.read_columns(place, path)
        return cls(columns, notices, place, path, reader)

    def cut(self, room: int, size: int, folder: Path) -> Iterator[RowRange]:
        """All its rows in ranges; a gzipped file, which has no places to begin at, is unpacked."""
        form, path = self.reader.form_of(self.path), self.path
        with open_binary(path) as file:
            if is_zipped(file):
                path = scratch_folder(folder, _UNPACKED) / uuid.uuid4().hex
                with path.open("wb") as unpacked:
                    shutil.copyfileobj(file, unpacked)
        for columns, span, rows in self._cut_spans(path, room, size):
            yield TextRange(rows, self.place, path, form, span, columns)

    def _cut_spans(
        self, path: Path, room: int, size: int
    ) -> Iterator[tuple[Sequence[str] | None, Span, int]]:
        columns: Sequence[str] | None = None
        begin, rows, limit, last = Span(), 0, room, 0
        with open_binary(path) as raw:
            file = _CountedFile(raw)
            numbers = self._number_rows(file)
            while True:
                offset = file.offset
                number = next(numbers, None)
                if number is None:
                    break
                # Several rows that were read at once, as after a quote that is not closed, stay so.
                if rows >= limit and file.offset > offset:
                    yield columns, begin, rows
                    columns, begin, rows, limit = self.columns, Span(offset, last), 0, size
                rows, last = rows + 1, number
        if rows:
            yield columns, begin, rows

    def _number_rows(self, file: _CountedFile) -> Iterator[int]:
        """The number of the line that each row ends on."""
        form = self.reader.form_of(self.path)
        lines = split_lines(file, self.reader.encoding)
        if form == "text":
            return (number for number, _ in lines)
        if form == "jsonl":  # to parse the objects would take its time
            return (number for number, line in lines if line)
        return (number for number, _ in parse_rows(lines, form))


class _CountedFile:
    """Reads lines, and counts their bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.offset = file, 0

    def readline(self, size: int, /) -> bytes:
        line = self._file.readline(size)
        self.offset += len(line)
        return line


@dataclass(frozen=True)
class Files:
    """The files of a folder.

    Args:
        columns: the input that they are.
        notices: what is not read, a sentence each.
        paths: of the files.
    """

    columns: Sequence[str]
    notices: Sequence[str]
    paths: Sequence[Path]

    def cut(self, room: int, size: int, folder: Path) -> Iterator[RowRange]:
        """All its files in ranges."""
        del folder
        for first, rows in cut(len(self.paths), room, size):
            yield FileRange(self.columns[0], self.paths[first : first + rows])


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file.

    Args:
        columns: those that its rows have.
        notices: what is not read, a sentence each.
        place: what messages call it.
        path: of the file.
        rows: how many there are.
    """

    columns: Sequence[str]
    notices: Sequence[str]
    place: str
    path: Path
    rows: int

    @classmethod
    def open(cls, place: str, path: Path, reader: RowReader) -> ParquetFile:
        """Opens a file, and checks its columns."""
        with open_parquet(path) as file:
            columns, rows = fold_columns(file.schema_arrow.names), file.metadata.num_rows
        return cls(columns, reader.check_columns(place, columns), place, path, rows)

    def cut(self, room: int, size: int, folder: Path) -> Iterator[RowRange]:
        """All its rows in ranges."""
        del folder
        for first, rows in cut(self.rows, room, size):
            yield ParquetRange(rows, self.place, self.path, first)
