"""Ranges of rows, which a worker reads by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from rnnpipe.errors import UserError
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.predictors.rows import InputFormat, RowReader
from rnnpipe.sources.text.lines import Span, read_lines
from rnnpipe.sources.text.rows import fold_columns


class RowRange(Protocol):
    """Rows of one place that follow each other."""

    @property
    def size(self) -> int:
        """How many they are."""

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """The rows, in their order."""


@dataclass(frozen=True, slots=True)
class TextRange:
    """Lines of a text or rows of a table.

    Args:
        size: how many rows they are.
        place: what messages call the file.
        path: the file, unpacked.
        form: its format.
        span: where its first row begins.
        columns: of CSV or TSV, where the header is not in the range.
    """

    size: int
    place: str
    path: Path
    form: InputFormat
    span: Span
    columns: Sequence[str] | None = None

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """The rows, in their order."""
        lines = read_lines(self.path, reader.encoding, self.span)
        return islice(reader.read(self.place, lines, self.form, self.columns), self.size)


@dataclass(frozen=True, slots=True)
class FileRange:
    """Files of a folder.

    Args:
        input: the input that they are.
        paths: of the files.
    """

    input: str
    paths: Sequence[Path]

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.paths)

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """The rows, in their order."""
        return (reader.read_path(self.input, path) for path in self.paths)


@dataclass(frozen=True, slots=True)
class ParquetRange:
    """Rows of a Parquet file.

    Args:
        size: how many they are.
        place: what messages call the file.
        path: the file.
        first: how many rows come before.
    """

    size: int
    place: str
    path: Path
    first: int

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """The rows, in their order; only the row groups that they are in are read."""
        with open_parquet(self.path) as file:
            columns, groups, before, start = fold_columns(file.schema_arrow.names), [], 0, None
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if before < self.first + self.size and before + rows > self.first:
                    groups.append(group)
                    start = before if start is None else start
                before += rows
            skip = self.first - (start or 0)
            cells = (
                values
                for batch in file.iter_batches(row_groups=groups, batch_size=_PARQUET_BATCH)
                for values in zip(*(c.to_pylist() for c in batch.columns), strict=True)
            )
            for number, values in enumerate(islice(cells, skip, skip + self.size), self.first + 1):
                row = dict(zip(columns, values, strict=True))
                shown = {name: to_json_value(value) for name, value in row.items()}
                yield InputRow(f"{self.place}, row {number}", shown, reader.pick(row))


_PARQUET_BATCH = 1024


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """Opens a Parquet file, of a file system or an object store.

    Raises:
        UserError: it is none, or is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            yield pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as fault:
        got = " ".join(str(fault).split())
        raise UserError(str(path), "a Parquet file", got, "write it again") from fault


def to_json_value(value: Any) -> Any:
    """A value as JSON has it: bytes and numbers that are not finite are null, other types text.

    Example:
        >>> to_json_value({"a": [1, b"x"], "b": float("nan")})
        {'a': [1, None], 'b': None}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return None
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(name): to_json_value(item) for name, item in value.items()}
    return str(value)


def cut(total: int, room: int, size: int) -> Iterator[tuple[int, int]]:
    """The first row and the number of rows of each range.

    Args:
        total: the rows of all ranges.
        room: the rows of the first range.
        size: the rows of all others.

    Example:
        >>> list(cut(10, 2, 5))
        [(0, 2), (2, 5), (7, 3)]
    """
    first = 0
    while first < total:
        rows = min(room, total - first)
        yield first, rows
        first, room = first + rows, size
