"""Tables of texts: CSV, TSV or JSON lines with named columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.folder import absolute, check_folder, list_folder
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import name_of, split_files, unread_notices
from rnnpipe.sources.text.fields import refer_pair, refer_text
from rnnpipe.sources.text.lines import check_encoding, check_text_file
from rnnpipe.sources.text.rows import Format, Row, format_of, read_header, read_rows

Refer = Callable[..., Reference]

_SUFFIXES = tuple(f".{form}{gz}" for form in ("csv", "tsv", "jsonl") for gz in ("", ".gz"))


@dataclass(frozen=True, slots=True)
class TableSplit:
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
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
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
    def _split_files(self) -> list[TableSplit]:
        check_folder(self._folder, "tables", "correct data.source.path")
        found = split_files(self._folder, self._files, self._names, ".csv, .tsv or .jsonl files")
        return [
            TableSplit(split, path, self._format or format_of(path))
            for split, path in found.items()
        ]

    @cached_property
    def _names(self) -> list[str]:
        return [name for name in list_folder(self._folder) if name.lower().endswith(_SUFFIXES)]

    @property
    def notices(self) -> Sequence[str]:
        """Tables whose names tell no split, unless a config chose the files."""
        return unread_notices(self._files, self._names, (file.path for file in self._split_files))

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(file.split for file in self._split_files)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which files and columns are which, and how they are read."""
        return {
            "names": {
                file.split: [name_of(file.path, self._folder), file.format]
                for file in self._split_files
            },
            "fields": self._fields,
            "columns": self._columns,
            "encoding": self._encoding,
        }

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there and have the columns; see `Source`."""
        for done, file in enumerate(self._split_files, start=1):
            check_text_file(file.path)
            self._check_columns(file)
            progress(done, len(self._split_files))

    def _check_columns(self, file: TableSplit) -> None:
        columns = self._columns or read_header(file.path, file.format, self._encoding)
        for field, column in self._fields.items():
            if column not in columns:
                raise UserError(
                    str(file.path),
                    f"a column called {column}",
                    ", ".join(columns) or "no header",
                    f"name the right one as data.source.{field}, or all of them as columns",
                )
            if columns.count(column) > 1:
                got = f"{columns.count(column)} ({', '.join(columns)})"
                fix = "give each a name of its own, or name another one as data.source." + field
                raise UserError(str(file.path), f"one column called {column}", got, fix)

    def partitions(self) -> list[TableSplit]:
        """A partition for each file."""
        return list(self._split_files)

    def read(self, partition: TableSplit) -> Iterator[Reference | DeadLetter]:
        """The records of a file.

        Yields:
            References with the fields of `TextFields` or `PairFields`, and dead letters for rows
            that are ragged or malformed, and for fields that are empty or no text.
        """
        name = name_of(partition.path, self._folder)
        refer: Refer = refer_text if "label" in self._fields else refer_pair
        rows = read_rows(partition.path, partition.format, self._encoding, self._columns)
        for number, row in rows:
            key = f"{name}:{number}"
            try:
                yield refer(key, partition.split, **self._pick(row))
            except BadRecord as bad:
                yield DeadLetter(key, name, bad.step, bad.reason)

    def _pick(self, row: Row | BadRecord) -> dict[str, Any]:
        if isinstance(row, BadRecord):
            raise row
        return {field: row.get(column) for field, column in self._fields.items()}

    def raw_files(self) -> Iterator[Path]:
        """The file of each split."""
        for file in self._split_files:
            yield file.path
