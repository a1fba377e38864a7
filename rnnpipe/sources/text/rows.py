"""Rows of CSV, TSV and JSON lines files, each with its columns by name."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.raw_files import fold_name
from rnnpipe.sources.text.lines import MAX_BYTES, TOO_LONG, BadLine, read_lines
from rnnpipe.storage.json_files import RepeatedKeyError, parse_json

Format = Literal["csv", "tsv", "jsonl"]
Row = dict[str, Any]
Lines = Iterator[tuple[int, str | BadLine]]
"""Lines by number, see `read_lines`."""

_STEP = "read row"
_OBJECTS_READ = 100
_MAX_FIELD = 2 * MAX_BYTES  # more than one line can have, so that only fields of several lines do
_TOO_LARGE = "field larger than field limit"  # as csv.Error has it, which has no kinds
_SHOWN = 20  # columns in a message


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
    a quote is not closed, every line that was read in search of its end is a fault; a field of more
    than 2 MiB is one fault, and the rows after it are read. TSV knows no quotes: fields are what
    stands between tabs. Lines without anything are no rows: many programs end a file with one, or
    put one after each row. The names of the columns once more, as where tables were put together,
    are a fault. Names of columns are as `fold_name` makes them.

    Args:
        path: the file, plain or gzipped.
        form: its format.
        encoding: its encoding.
        columns: the names of the columns of a CSV or TSV file without header.
    """
    return parse_rows(read_lines(path, encoding), form, columns)


def parse_rows(
    lines: Lines, form: Format, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, Row | BadRecord]]:
    """The rows of lines, each as soon as it is there; see `read_rows`.

    Args:
        lines: by number.
        form: their format.
        columns: the names of the columns of CSV or TSV without header.
    """
    if form == "jsonl":
        for number, line in lines:
            if line:
                yield number, _parse_object(line)
        return
    columns = None if columns is None else fold_columns(columns)
    for number, row in _parse_cells(lines, form):
        if isinstance(row, BadRecord):
            yield number, row
        elif columns is None:
            columns = fold_columns(row)
        else:
            yield number, _name_cells(row, columns)


def read_header(path: Path, form: Format, encoding: str, wanted: Collection[str] = ()) -> list[str]:
    """The columns of a file: those that its first row names, or that its objects have.

    Args:
        path: the file, plain or gzipped.
        form: its format.
        encoding: its encoding.
        wanted: the columns to look for in more objects than the first hundred.

    Raises:
        UserError: they are no text in this encoding.
    """
    if form == "jsonl":
        return _read_keys(path, encoding, wanted)
    number, header = next(_parse_cells(read_lines(path, encoding), form), (1, []))
    if isinstance(header, BadRecord):
        raise _no_columns(path, number, header)
    return fold_columns(header)


def fold_columns(columns: Sequence[str]) -> list[str]:
    """The names of columns in the form in which they are compared."""
    return [fold_name(column) for column in columns]


def check_columns(path: Path, columns: Sequence[str], fixes: Mapping[str, str]) -> None:
    """Checks that a table has each of some columns once.

    Args:
        path: the table.
        columns: those that it has, see `read_header`.
        fixes: what to do where it has not, by the column.

    Raises:
        UserError: it lacks one, or has one twice.
    """
    shown = ", ".join(columns[:_SHOWN]) + (", …" if len(columns) > _SHOWN else "")
    for column, fix in fixes.items():
        number = columns.count(fold_name(column))
        if number == 0:
            got = shown or "no header"
            raise UserError(str(path), f"a column called {column}", got, fix)
        if number > 1:
            expected, got = f"one column called {column}", f"{number} ({shown})"
            raise UserError(str(path), expected, got, f"give each a name of its own, or {fix}")


def _read_keys(path: Path, encoding: str, wanted: Collection[str]) -> list[str]:
    columns: dict[str, None] = {}
    first: tuple[int, BadRecord] | None = None
    for done, (number, row) in enumerate(read_rows(path, "jsonl", encoding)):
        if done >= _OBJECTS_READ and columns.keys() >= {*wanted}:
            break
        if isinstance(row, dict):
            columns |= dict.fromkeys(row)
        else:
            first = first or (number, row)
    if first and not columns:
        raise _no_columns(path, *first)
    return list(columns)


def _no_columns(path: Path, number: int, bad: BadRecord) -> UserError:
    fix = "correct data.source.encoding or the file"
    return UserError(f"{path}:{number}", "the names of the columns", bad.reason, fix)


def _parse_object(line: str | BadRecord) -> Row | BadRecord:
    if isinstance(line, BadRecord):
        return line
    try:
        value = parse_json(line, fold_key=fold_name)
    except RepeatedKeyError as fault:
        return BadRecord(_STEP, str(fault))
    except ValueError as fault:
        return BadRecord(_STEP, f"no JSON ({fault})")
    return value if isinstance(value, dict) else BadRecord(_STEP, "not a JSON object")


def _name_cells(row: Sequence[str], columns: Sequence[str]) -> Row | BadRecord:
    if not any(row):
        return BadRecord(_STEP, "the line is empty")
    if len(row) != len(columns):
        return BadRecord(_STEP, f"{len(row)} fields where {len(columns)} columns are named")
    cells = dict(zip(columns, row, strict=True))
    if (row[0] == columns[0] or not row[0].isascii()) and fold_columns(row) == columns:
        return BadRecord(_STEP, "the names of the columns once more")
    return cells


def _parse_cells(lines: Lines, form: Format) -> Iterator[tuple[int, list[str] | BadRecord]]:
    return _parse_csv(lines) if form == "csv" else _parse_tsv(lines)


def _parse_tsv(lines: Lines) -> Iterator[tuple[int, list[str] | BadRecord]]:
    for number, line in lines:
        if line:
            yield number, line if isinstance(line, BadRecord) else line.split("\t")


class _CsvLines:
    """Lines for `csv.reader`, with an outline in the place of each bad one.

    Args:
        lines: by number, not necessarily from 1.
    """

    def __init__(self, lines: Lines) -> None:
        first = next(lines, None)
        self._lines = lines if first is None else chain([first], lines)
        self._bad: dict[int, BadLine] = {}
        self.current, self.number = "", 0 if first is None else first[0] - 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if isinstance(line, BadLine):
            self._bad[self.number] = line
            line = line.outline
        self.current = f"{line}\n"
        return self.current

    def pop_bad(self, numbers: Iterable[int]) -> BadLine | None:
        """Takes out the first bad one of these lines, if there is one."""
        return next((self._bad.pop(number) for number in numbers if number in self._bad), None)

    def forget_bad(self) -> None:
        """Takes out all bad lines."""
        self._bad.clear()


def _parse_csv(numbered: Lines) -> Iterator[tuple[int, list[str] | BadRecord]]:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))
    lines = _CsvLines(numbered)
    reader = csv.reader(lines, strict=True)
    while True:
        before = lines.number
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            is_large = str(fault).startswith(_TOO_LARGE)
            is_field, last = is_large and _leave_field(lines.current, lines), lines.number
            if is_field:
                yield last, BadRecord(_STEP, f"a field {TOO_LONG}, from line {before + 1} on")
            else:
                for number in range(before + 1, last + 1):
                    yield number, BadRecord(_STEP, f"no CSV, from line {before + 1} on ({fault})")
            lines.forget_bad()
            continue
        last = lines.number
        bad_line = lines.pop_bad(range(before + 1, last + 1))
        if bad_line or row:
            yield last, bad_line or row


def _leave_field(line: str, lines: Iterator[str]) -> bool:
    """Reads on to the line on which a quoted field ends, and its row.

    Args:
        line: one that begins within the field. (Only a field of several lines can be too large.)
        lines: those that follow.

    Returns:
        Whether the quote was that of a field: it is not if it is never closed, or closed before
        something else than a comma or the end of the line.
    """
    for text in chain([line], lines):
        # Whether the line leaves the row open shows in that a second one is needed to close it.
        rest = csv.reader([f'"{text}', '"\n'], strict=True)
        try:
            next(rest)
        except csv.Error:
            return False
        if rest.line_num == 1:
            return True
    return False
