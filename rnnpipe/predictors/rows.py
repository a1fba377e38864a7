"""Rows of inputs: the lines of a text, the rows of a table, the files of a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.predictors.pipe import Pipe
from rnnpipe.sources.raw_files import printable, walk_raw
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import read_lines, split_lines
from rnnpipe.sources.text.rows import Format, Lines, Row, parse_rows, read_header
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.store_path import StorePath
from rnnpipe.tasks.inputs import Input

InputFormat = Literal["text", "csv", "tsv", "jsonl"]
STDIN = "-"

_TABLES: tuple[Format, ...] = get_args(Format)
_SHOWN = 20  # columns in a message


class InputRow(NamedTuple):
    """One row of inputs.

    Args:
        where: the file and line that it comes from, or the file that it is.
        columns: what stands there, by column.
        inputs: the inputs of the task among them, with those of all rows; an error where the row
            cannot be read, and None for a blank line of a text, which has no answer.
    """

    where: str
    columns: Mapping[str, Any]
    inputs: Mapping[str, Any] | UserError | None


@dataclass(frozen=True)
class RowSource:
    """Rows of inputs from one place.

    Args:
        columns: those that rows have.
        rows: read as they are asked for.
        total: how many there are; 0: that is not known.
        notices: what is not read, a sentence each.
        is_ready: of a pipe: whether the next row can be read without waiting for it.
    """

    columns: Sequence[str]
    rows: Iterable[InputRow]
    total: int = 0
    notices: Sequence[str] = ()
    is_ready: Callable[[], bool] | None = None


@dataclass(frozen=True)
class RowReader:
    """Reads rows of a task's inputs.

    Args:
        task: its name, for messages.
        declared: its inputs.
        fixed: the inputs that are the same for all rows.
        defaults: inputs of rows that do not have them.
        form: the format; None: by the name of the file.
        encoding: of texts and tables.
    """

    task: str
    declared: Sequence[Input]
    fixed: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    form: InputFormat | None = None
    encoding: str = "utf-8"

    def open(self, place: str) -> RowSource:
        """The rows of a file or a folder, or of the standard input for `-`.

        Raises:
            UserError: there is no such place, or it lacks an input.
        """
        try:
            return self._open(place)
        except UserError as fault:
            fix = fault.fix.replace("data.source.encoding", "--encoding")
            raise UserError(fault.where, fault.expected, fault.got, fix) from fault

    def _open(self, place: str) -> RowSource:
        check_encoding(self.encoding)
        if place == STDIN:
            return self._open_stream("standard input", sys.stdin.fileno())
        path = as_path(place)
        if path.is_dir():
            return self._open_folder(path)
        if not path.exists():
            fix = "name another one, or - for the standard input"
            raise UserError(f"--input {place}", "a file or a folder", "nothing there", fix)
        if not isinstance(path, StorePath) and not path.is_file():  # a pipe
            return self._open_stream(place, os.open(path, os.O_RDONLY))
        form = self.form or _format_by_name(path)
        total = check_text_file(path, self.encoding) if path.stat().st_size else 0
        if form == "text":
            return RowSource(
                [self._line_input(place)],
                self._read_text(place, read_lines(path, self.encoding)),
                total,
            )
        wanted = [declared.name for declared in self._missing()]
        columns = read_header(path, form, self.encoding, wanted) if total else []
        lines = read_lines(path, self.encoding)
        rows = self._read_table(place, parse_rows(lines, form))
        return RowSource(columns, rows, notices=self._check_columns(place, columns))

    def _missing(self) -> list[Input]:
        """The required inputs that rows have to have."""
        return [each for each in self.declared if each.required and each.name not in self.fixed]

    def _line_input(self, place: str) -> str:
        """The input that a line of text is."""
        missing = self._missing()
        if len(missing) == 1:
            return missing[0].name
        names = ", ".join(each.name for each in missing)
        if not missing:
            got = f"all inputs of {self.task} as options"
            fix = "leave out the option that each line of it is"
            raise UserError(f"--input {place}", "an input that each line is", got, fix)
        expected = "a table (.csv, .tsv or .jsonl), or all inputs but one as options"
        got = f"a text, and {names} without an option"
        fix = f"name columns {names}, or say with --input-format that it is a table"
        raise UserError(f"--input {place}", expected, got, fix)

    def _open_stream(self, name: str, descriptor: int) -> RowSource:
        pipe = Pipe(descriptor)
        form = self.form or ("text" if len(self._missing()) == 1 else "jsonl")
        lines = split_lines(pipe, self.encoding)
        if form == "text":
            columns, rows = [self._line_input(name)], self._read_text(name, lines)
        else:
            columns = [each.name for each in self.declared if each.name not in self.fixed]
            rows = self._read_table(name, parse_rows(lines, form))
        return RowSource(columns, rows, is_ready=pipe.has_line)

    def _read_text(self, place: str, lines: Lines) -> Iterator[InputRow]:
        name = self._line_input(place)
        for number, line in lines:
            where = f"{place}, line {number}"
            if isinstance(line, BadRecord):
                yield InputRow(where, {}, _row_error(where, line))
            elif line.strip():
                yield InputRow(where, {name: line}, self._pick({name: line}))
            else:
                yield InputRow(where, {name: line}, None)

    def _read_table(
        self, place: str, rows: Iterator[tuple[int, Row | BadRecord]]
    ) -> Iterator[InputRow]:
        for number, read in rows:
            where = f"{place}, line {number}"
            row = read if isinstance(read, BadRecord) else _check_characters(read)
            if isinstance(row, BadRecord):
                yield InputRow(where, {}, _row_error(where, row))
            else:
                yield InputRow(where, row, self._pick(row))

    def _pick(self, row: Row) -> dict[str, Any]:
        """The inputs among the columns of a row."""
        inputs = {**self.defaults, **self.fixed}
        for column, value in row.items():
            name = column.replace("_", "-")
            declared = next((each for each in self.declared if each.name == name), None)
            if declared is None or (value == "" and not declared.required):
                continue
            inputs[name] = tuple(value) if isinstance(value, list) else value
        return inputs

    def _check_columns(self, place: str, columns: Sequence[str]) -> list[str]:
        """Checks that a table has the inputs; notices of columns that are none."""
        shown = ", ".join(columns[:_SHOWN]) + (", …" if len(columns) > _SHOWN else "")
        names = [column.replace("_", "-") for column in columns]
        for declared in self._missing():
            if columns and declared.name not in names:
                fix = f"name it in the header, or give --{declared.name} for all rows"
                expected = f"a column called {declared.name}"
                raise UserError(f"--input {place}", expected, shown, fix)
        for name in {*names}:
            if name in self.fixed or (names.count(name) > 1 and self._is_input(name)):
                expected, fix = f"{name} once", "leave one of them out"
                got = "a column and an option" if name in self.fixed else f"columns {shown}"
                raise UserError(f"--input {place}", expected, got, fix)
        others = [column for column in columns if not self._is_input(column.replace("_", "-"))]
        if not others:
            return []
        return [f"{place}: columns that are no inputs of {self.task}: {', '.join(others)}"]

    def _is_input(self, name: str) -> bool:
        return any(declared.name == name for declared in self.declared)

    def _open_folder(self, folder: Path) -> RowSource:
        missing = self._missing()
        files = [declared for declared in missing if declared.endings]
        if len(files) != 1 or len(missing) != 1:
            names = ", ".join(each.name for each in missing) or "none"
            expected = "a folder of files, where files are the only input without an option"
            fix = "name a text or a table, or give the other inputs as options"
            raise UserError(f"--input {folder}", expected, names, fix)
        name, endings = files[0].name, files[0].endings
        paths, others = _find_files(folder, endings)
        if not paths:
            expected = f"files whose names end in {', '.join(endings[:4])}, …"
            raise UserError(f"--input {folder}", expected, "none", "name another folder")
        notices = [f"{folder}: {others:,} other files are not read"] if others else []
        rows = [self._make_file_row(path, name) for path in paths]
        return RowSource([name], rows, len(rows), notices)

    def _make_file_row(self, path: Path, name: str) -> InputRow:
        shown = printable(str(path))
        if shown != str(path):
            fault = UserError(shown, "a name in UTF-8", "other bytes", "rename the file")
            return InputRow(shown, {name: shown}, fault)
        return InputRow(shown, {name: shown}, self._pick({name: shown}))


def _find_files(folder: Path, endings: tuple[str, ...]) -> tuple[list[Path], int]:
    """The files with these endings in a folder and all below it, and how many others there are."""
    paths: list[Path] = []
    others = 0
    for root, listing in walk_raw(folder):
        names = [*listing.files, *listing.misnamed]
        chosen = [name for name in names if name.lower().endswith(endings)]
        paths += [root / name for name in chosen]
        others += len(names) - len(chosen)
    return sorted(paths, key=lambda path: os.fsencode(str(path))), others


def _format_by_name(path: Path) -> InputFormat:
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    return next((form for form in _TABLES if form == ending), "text")


def _check_characters(row: Row) -> Row | BadRecord:
    """JSON may spell halves of characters, which are no text."""
    if json.dumps(row, ensure_ascii=False).isascii():
        return row
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return BadRecord("read row", "halves of characters, which are no text")
    return row


def _row_error(where: str, bad: BadRecord) -> UserError:
    return UserError(where, "a row that can be read", bad.reason, "correct it")
