"""Tables that lie beside files of another kind, and name them: clips, recordings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.file_index import FileIndex
from rnnpipe.sources.raw_files import check_name, fold_name, is_inside
from rnnpipe.sources.splits import Split, split_of_name
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.rows import (
    Format,
    check_columns,
    format_of,
    read_header,
    read_rows,
)

_ENCODING = "utf-8"


class NamedRows:
    """The rows of a table that has certain columns, by the number of their lines.

    Args:
        path: a file called `.csv`, `.tsv` or `.jsonl`.
        columns: the columns that it must have, and what to do where it lacks one.

    Raises:
        UserError: it is called otherwise, cannot be read, or lacks a column.
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        check_text_file(path, _ENCODING)
        self._path, self.form = path, _format_of(path)
        self.header = read_header(path, self.form, _ENCODING)
        check_columns(path, self.header, columns)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return read_rows(self._path, self.form, _ENCODING)


def _format_of(path: Path) -> Format:
    try:
        return format_of(path)
    except UserError as fault:
        raise UserError(fault.where, fault.expected, fault.got, "call it so") from fault


class FileRows:
    """The rows of a table that name files of its own folder, as cells by fields of its source.

    Args:
        path: see `NamedRows`.
        columns: the columns by the source's fields; None where it has none for a field.
        file: the field whose column names the files.
        what: what the files are, e.g. `clip`.

    Raises:
        UserError: see `NamedRows`.
    """

    def __init__(self, path: Path, columns: Mapping[str, str | None], file: str, what: str) -> None:
        self._columns = {field: column for field, column in columns.items() if column is not None}
        fixes = {
            column: f"name the right one as data.source.{field}"
            for field, column in self._columns.items()
        }
        self._rows, self._file, self._what = NamedRows(path, fixes), file, what

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(self._rows)

    def read_cells(self, row: Any) -> dict[str, Any]:
        """The cells of a row.

        Raises:
            BadRecord: the row is none, or its file has no name, or one that leads out of the
                folder.
        """
        if isinstance(row, BadRecord):
            raise row
        cells = {field: row.get(fold_name(column)) for field, column in self._columns.items()}
        self._check_name(cells[self._file])
        return cells

    def _check_name(self, name: Any) -> None:
        if name in (None, ""):
            raise BadRecord("read row", f"it names no {self._what}")
        if not isinstance(name, str):
            raise BadRecord("read row", f"not the name of a {self._what}: {name!r:.100}")
        check_name(name)
        if not is_inside(name):
            raise BadRecord(f"find {self._what}", f"{name:.100} is not inside the folder")


def read_split(name: Any) -> Split:
    """The split that a row names.

    Raises:
        BadRecord: it names none.
    """
    split = split_of_name(str(name))
    if split is None:
        raise BadRecord("read row", f"{name!r:.100} is no split")
    return split


def locate(files: FileIndex, name: str) -> Path:
    """The file of a name; one that is not there is a dead letter once it is opened.

    Args:
        files: those of the table's folder, which is listed only where the name itself will not do:
            accents may be spelled in two ways, and folders be parted by backslashes.
        name: one inside the folder, see `FileRows`.
    """
    path = files.folder / name
    if (name.isascii() and "\\" not in name) or path.exists():
        return path
    try:
        return files.find_name(name)
    except BadRecord:
        return path
