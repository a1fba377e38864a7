"""Rows of inputs: the lines of a text, the rows of a table, the files of a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from rnnpipe.config.nodes import shown
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.predictors.pipe import Pipe
from rnnpipe.sources.raw_files import is_utf8, printable, walk_raw
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import read_lines, split_lines
from rnnpipe.sources.text.rows import Format, Lines, Row, parse_rows, read_header
from rnnpipe.storage.paths import as_path, has_scheme
from rnnpipe.storage.store_path import StorePath
from rnnpipe.tasks.inputs import Input

InputFormat = Literal["text", "csv", "tsv", "jsonl"]
STDIN = "-"
PARQUET = ".parquet"
"""How the names of files end that jobs alone read."""

_TABLES: tuple[Format, ...] = get_args(Format)
_SHOWN = 20  # columns in a message


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
        folder: of relative paths in rows; by default the one in which the process works.
    """

    task: str
    declared: Sequence[Input]
    fixed: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    form: InputFormat | None = None
    encoding: str = "utf-8"
    folder: str = ""

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
        if path.suffix.lower() == PARQUET and self.form is None:
            expected = "a text or a table (.csv, .tsv or .jsonl)"
            fix = "add --workers 1 and name a folder as --output: jobs read it"
            raise UserError(f"--input {place}", expected, "Parquet", fix)
        form, total = self.form_of(path), self.check_file(path)
        columns, notices = list[str](), list[str]()
        if total or form == "text":
            columns, notices = self.read_columns(place, path)
        rows = self.read(place, read_lines(path, self.encoding), form)
        return RowSource(columns, rows, total if form == "text" else 0, notices)

    def form_of(self, path: Path) -> InputFormat:
        """The format of a file."""
        return self.form or _format_by_name(path)

    def check_file(self, path: Path) -> int:
        """How many lines a text or a table has; an empty one has none.

        Raises:
            UserError: it cannot be read.
        """
        return check_text_file(path, self.encoding) if path.stat().st_size else 0

    def read_columns(self, place: str, path: Path) -> tuple[list[str], list[str]]:
        """The columns of a text or a table, and notices of those that are no inputs.

        Args:
            place: what messages call it.
            path: the file, which is not empty.

        Raises:
            UserError: an input has no column.
        """
        form = self.form_of(path)
        if form == "text":
            return [self._line_input(place)], []
        wanted = [declared.name for declared in self.missing()]
        columns = read_header(path, form, self.encoding, wanted)
        return columns, self.check_columns(place, columns)

    def read(
        self, place: str, lines: Lines, form: InputFormat, columns: Sequence[str] | None = None
    ) -> Iterator[InputRow]:
        """The rows of a text or a table, each as soon as it is there.

        Args:
            place: what messages call it.
            lines: by number.
            form: their format.
            columns: of CSV or TSV whose header is not among the lines.
        """
        if form == "text":
            return self._read_text(place, lines)
        return self._read_table(place, parse_rows(lines, form, columns))

    def missing(self) -> list[Input]:
        """The required inputs that rows have to have."""
        return [each for each in self.declared if each.required and each.name not in self.fixed]

    def _line_input(self, place: str) -> str:
        """The input that a line of text is."""
        missing = self.missing()
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
        form = self.form or ("text" if len(self.missing()) == 1 else "jsonl")
        lines = split_lines(pipe, self.encoding)
        columns = [each.name for each in self.declared if each.name not in self.fixed]
        if form == "text":
            columns = [self._line_input(name)]
        return RowSource(columns, self.read(name, lines, form), is_ready=pipe.has_line)

    def _read_text(self, place: str, lines: Lines) -> Iterator[InputRow]:
        name = self._line_input(place)
        for number, line in lines:
            where = f"{place}, line {number}"
            if isinstance(line, BadRecord):
                yield InputRow(where, {}, _row_error(where, line))
            elif line.strip():
                yield InputRow(where, {name: line}, self.pick({name: line}))
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
                yield InputRow(where, row, self.pick(row))

    def pick(self, row: Row) -> dict[str, Any]:
        """The inputs among the columns of a row, with those of all rows."""
        inputs = {**self.defaults, **self.fixed}
        for column, value in row.items():
            name = column.replace("_", "-")
            declared = next((each for each in self.declared if each.name == name), None)
            if declared is None or (value == "" and not declared.required):
                continue
            inputs[name] = self._convert(declared, value)
        return inputs

    def _convert(self, declared: Input, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(value)
        if self.folder and declared.endings and isinstance(value, str) and not has_scheme(value):
            return os.path.join(self.folder, value)
        return value

    def check_columns(self, place: str, columns: Sequence[str]) -> list[str]:
        """Checks that a table has the inputs; notices of columns that are none.

        Raises:
            UserError: it has not, or has one twice.
        """
        shown = _list(columns)
        names = [column.replace("_", "-") for column in columns]
        for declared in self.missing():
            if columns and declared.name not in names:
                fix = f"name it in the header, or give --{declared.name} for all rows"
                expected = f"a column called {declared.name}"
                raise UserError(f"--input {place}", expected, shown, fix)
        for name in {*names}:
            if name in self.fixed or (self._is_input(name) and names.count(name) > 1):
                expected, fix = f"{name} once", "leave one of them out"
                got = "a column and an option" if name in self.fixed else f"columns {shown}"
                raise UserError(f"--input {place}", expected, got, fix)
        others = [column for column in columns if not self._is_input(column.replace("_", "-"))]
        if not others:
            return []
        return [f"{place}: columns that are no inputs of {self.task}: {_list(others)}"]

    def _is_input(self, name: str) -> bool:
        return any(declared.name == name for declared in self.declared)

    def _open_folder(self, folder: Path) -> RowSource:
        name, paths, notices = self.list_folder(folder)
        return RowSource(
            [name], [self.read_path(name, path) for path in paths], len(paths), notices
        )

    def list_folder(self, folder: Path) -> tuple[str, list[Path], list[str]]:
        """The input that files of a folder are, these files, and notices of others.

        Raises:
            UserError: files are no input, or not the only one without an option, or there are none.
        """
        missing = self.missing()
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
        return name, paths, notices

    def read_path(self, name: str, path: Path) -> InputRow:
        """The row of a file of a folder.

        Args:
            name: of the input that it is.
            path: the file.
        """
        shown = printable(str(path))
        if shown != str(path):
            fault = UserError(shown, "a name in UTF-8", "other bytes", "rename the file")
            return InputRow(shown, {name: shown}, fault)
        return InputRow(shown, {name: shown}, self.pick({name: shown}))


def _list(columns: Sequence[str]) -> str:
    first = ", ".join(map(shown, columns[:_SHOWN])) or "one without a name"
    return f"{first}, …" if len(columns) > _SHOWN else first


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
    if is_utf8(json.dumps(row, ensure_ascii=False)):
        return row
    return BadRecord("read row", "halves of characters, which are no text")


def _row_error(where: str, bad: BadRecord) -> UserError:
    return UserError(where, "a row that can be read", bad.reason, "correct it")
