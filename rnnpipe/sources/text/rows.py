"""Rows of CSV, TSV and JSON lines files, each with its columns by name."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.text.lines import read_lines

Format = Literal["csv", "tsv", "jsonl"]
Row = dict[str, Any]

_STEP = "read row"
_OBJECTS_LOOKED_AT = 100


def format_of(path: Path) -> Format:
    """The format that a file's name tells.

    Raises:
        UserError: it tells none.
    """
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    for known in get_args(Format):
        if ending == known:
            return known  # type: ignore[no-any-return]  # get_args is untyped
    expected = "a file called .csv, .tsv or .jsonl"
    raise UserError(str(path), expected, path.name, "say which it is as data.source.format")


def read_rows(
    path: Path, form: Format, encoding: str, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, Row | BadRecord]]:
    """The rows of a file by the number of the line that they end on; bad ones as faults.

    CSV is as RFC 4180 has it: a quoted field may hold commas, doubled quotes and line breaks. Where
    a quote is not closed, every line that was read in search of its end is a fault. A field has at
    most 131,072 characters. TSV knows no quotes: fields are what stands between tabs.

    Args:
        path: the file, plain or gzipped.
        form: its format.
        encoding: its encoding.
        columns: the names of the columns of a CSV or TSV file without header.
    """
    if form == "jsonl":
        for number, line in read_lines(path, encoding):
            yield number, _parse_object(line)
        return
    cells = _read_csv(path, encoding) if form == "csv" else _read_tsv(path, encoding)
    for number, row in cells:
        if columns is None and isinstance(row, list):
            columns = row
        else:
            yield number, row if isinstance(row, BadRecord) else _name_cells(row, columns or [])


def read_header(path: Path, form: Format, encoding: str) -> list[str]:
    """The columns of a file: those that its first row names, or that its first objects have."""
    if form == "jsonl":
        objects = (row for _, row in islice(read_rows(path, form, encoding), _OBJECTS_LOOKED_AT))
        return list(dict.fromkeys(key for row in objects if isinstance(row, dict) for key in row))
    cells = _read_csv(path, encoding) if form == "csv" else _read_tsv(path, encoding)
    header = next((row for _, row in cells), None)
    return header if isinstance(header, list) else []


def _parse_object(line: str | BadRecord) -> Row | BadRecord:
    if isinstance(line, BadRecord):
        return line
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as fault:
        return BadRecord(_STEP, f"no JSON ({fault})")
    return value if isinstance(value, dict) else BadRecord(_STEP, "not a JSON object")


def _name_cells(row: Sequence[str], columns: Sequence[str]) -> Row | BadRecord:
    if not any(row):
        return BadRecord(_STEP, "the line is empty")
    if len(row) != len(columns):
        return BadRecord(_STEP, f"{len(row)} fields where {len(columns)} columns are named")
    return dict(zip(columns, row, strict=True))


def _read_tsv(path: Path, encoding: str) -> Iterator[tuple[int, list[str] | BadRecord]]:
    for number, line in read_lines(path, encoding):
        yield number, line if isinstance(line, BadRecord) else line.split("\t")


def _read_csv(path: Path, encoding: str) -> Iterator[tuple[int, list[str] | BadRecord]]:
    faults: dict[int, BadRecord] = {}

    def texts() -> Iterator[str]:
        for number, line in read_lines(path, encoding):
            if isinstance(line, BadRecord):
                faults[number] = line
                yield "\n"
            else:
                yield f"{line}\n"

    reader = csv.reader(texts(), strict=True)
    while True:
        before = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            for number in range(before + 1, reader.line_num + 1):
                yield number, BadRecord(_STEP, f"no CSV, from line {before + 1} on ({fault})")
            continue
        numbers = range(before + 1, reader.line_num + 1)
        fault_inside = next((faults.pop(n) for n in numbers if n in faults), None)
        yield reader.line_num, fault_inside or row
