"""Tables of texts: CSV, TSV or JSON lines with named columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.folder import absolute, check_folder, list_folder
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import name_of, split_files, tell_unread
from rnnpipe.sources.text.fields import refer_pair, refer_text
from rnnpipe.sources.text.lines import check_encoding, check_text_file
from rnnpipe.sources.text.rows import Format, Row, format_of, read_header, read_rows

Refer = Callable[..., Reference]

_SUFFIXES = tuple(f".{form}{gz}" for form in ("csv", "tsv", "jsonl") for gz in ("", ".gz"))


@dataclass(frozen=True, slots=True)
class TablePart:
    """The file of one split.

    Args:
        split: the split.
        path: the file.
        format: its format.
    """

    split: str
    path: Path
    format: Format


class Table:
    """Rows with named columns, of which two make a record.

    Args:
        path: the folder.
        fields: the column of each field of the record: `text` and `label`, or `source` and
            `target`.
        files: the file of each split (`train`, `validation`, `test`); without it the files called
            after them (`train.csv`, `dev.tsv`, `test.jsonl.gz`), or the only one there.
        format: `csv`, `tsv` or `jsonl`; without it what the files' names say.
        columns: the names of the columns of files without header.
        encoding: of all files.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = Table("data/reviews", {"text": "review", "label": "stars"})
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.pieces()[0]))  # doctest: +SKIP
    """

    kind = "table"

    def __init__(
        self,
        path: str | Path,
        fields: Mapping[str, str],
        *,
        files: Mapping[str, str | Path] | None = None,
        format: Format | None = None,  # noqa: A002  # the config's own word
        columns: Sequence[str] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self._folder, self._fields, self._format = absolute(path), dict(fields), format
        self._files = None if files is None else dict(files)
        self._columns = None if columns is None else list(columns)
        self._encoding = check_encoding(encoding)

    @cached_property
    def _parts(self) -> list[TablePart]:
        check_folder(self._folder, "tables", "mend data.source.path")
        found = split_files(self._folder, self._files, self._names, ".csv, .tsv or .jsonl files")
        return [
            TablePart(split, path, self._format or format_of(path)) for split, path in found.items()
        ]

    @cached_property
    def _names(self) -> list[str]:
        return [name for name in list_folder(self._folder) if name.lower().endswith(_SUFFIXES)]

    @property
    def notices(self) -> Sequence[str]:
        """Tables whose names tell no split, unless a config chose the files."""
        return tell_unread(self._files, self._names, (part.path for part in self._parts))

    @property
    def parts(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(part.split for part in self._parts)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which files and columns are which, and how they are read."""
        return {
            "names": {
                part.split: [name_of(part.path, self._folder), part.format] for part in self._parts
            },
            "fields": self._fields,
            "columns": self._columns,
            "encoding": self._encoding,
        }

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there and have the columns; see `Source`."""
        for done, part in enumerate(self._parts, start=1):
            check_text_file(part.path)
            self._check_columns(part)
            progress(done, len(self._parts))

    def _check_columns(self, part: TablePart) -> None:
        columns = self._columns or read_header(part.path, part.format, self._encoding)
        for field, column in self._fields.items():
            if column not in columns:
                raise UserError(
                    str(part.path),
                    f"a column called {column}",
                    ", ".join(columns) or "no header",
                    f"name the right one as data.source.{field}, or all of them as columns",
                )
            if columns.count(column) > 1:
                got = f"{columns.count(column)} ({', '.join(columns)})"
                fix = "give each a name of its own, or name another one as data.source." + field
                raise UserError(str(part.path), f"one column called {column}", got, fix)

    def pieces(self) -> list[TablePart]:
        """A piece for each file."""
        return list(self._parts)

    def read(self, piece: TablePart) -> Iterator[Reference | DeadLetter]:
        """The records of a file.

        Yields:
            References with the fields of `TextFields` or `PairFields`, and dead letters for rows
            that are ragged or malformed, and for fields that are empty or no text.
        """
        name = name_of(piece.path, self._folder)
        refer: Refer = refer_text if "label" in self._fields else refer_pair
        rows = read_rows(piece.path, piece.format, self._encoding, self._columns)
        for number, row in rows:
            key = f"{name}:{number}"
            try:
                yield refer(key, piece.split, **self._pick(row))
            except BadRecord as bad:
                yield DeadLetter(key, name, bad.step, bad.reason)

    def _pick(self, row: Row | BadRecord) -> dict[str, Any]:
        if isinstance(row, BadRecord):
            raise row
        return {field: row.get(column) for field, column in self._fields.items()}

    def files(self) -> Iterator[Path]:
        """The file of each split."""
        for part in self._parts:
            yield part.path
