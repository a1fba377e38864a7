"""Tables of texts: CSV, TSV or JSON lines with named columns."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.settings import setting
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.raw_files import fold_name
from rnnpipe.sources.source import Reference
from rnnpipe.sources.splits import (
    name_of,
    split_files,
)
from rnnpipe.sources.text.fields import refer_pair, refer_text
from rnnpipe.sources.text.rows import (
    Format,
    Row,
    check_columns,
    fold_columns,
    format_of,
    read_header,
    read_rows,
)
from rnnpipe.sources.text.source import TextClassSource, TextPairSource
from rnnpipe.sources.text.split_files import SplitFile, SplitFiles

_SUFFIXES = tuple(f".{form}{gz}" for form in ("csv", "tsv", "jsonl") for gz in ("", ".gz"))


@dataclass(frozen=True, slots=True)
class TableSplit(SplitFile):
    """The table of one split.

    Args:
        split: the split.
        path: the file.
        format: its format.
    """

    format: Format


class Table(SplitFiles[TableSplit]):
    """Rows with named columns, of which two make a record.

    Without `files`, those with the name of a split are read (`train.csv`, `dev.tsv`,
    `test.jsonl.gz`), or the only one there.

    Raises:
        UserError: there is no such encoding.
    """

    suffixes: ClassVar = _SUFFIXES

    kind: Literal["table"] = "table"
    format: Format | None = setting(None, "null: by the files' names")
    columns: tuple[str, ...] | None = setting(
        None, "names of the columns of files without a header", min_length=1
    )

    @property
    @abstractmethod
    def fields(self) -> Mapping[str, str]:
        """The column of each field of a reference."""

    @abstractmethod
    def refer(self, key: str, split: str, **fields: Any) -> Reference:
        """The reference to a row.

        Raises:
            BadRecord: a field is not what it should be.
        """

    def find_files(self) -> list[TableSplit]:
        """See `SplitFiles`."""
        check_folder(self._folder, "tables", "correct data.source.path")
        found = split_files(self._folder, self.files, self.names, ".csv, .tsv or .jsonl files")
        return [
            TableSplit(split, path, self.format or format_of(path)) for split, path in found.items()
        ]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which files and columns are which, and how they are read."""
        return {
            "names": {
                file.split: [name_of(file.path, self._folder), file.format]
                for file in self.split_files
            },
            "fields": dict(self.fields),
            "columns": None if self.columns is None else list(self.columns),
            "encoding": self.encoding,
        }

    def check_file(self, file: TableSplit) -> None:
        """Checks that it has the columns.

        Raises:
            UserError: it lacks one.
        """
        wanted = fold_columns([*self.fields.values()])
        if self.columns is None:
            columns = read_header(file.path, file.format, self.encoding, wanted)
        else:
            columns = fold_columns(self.columns)
        fixes = {
            column: f"name the right one as data.source.{field}, or all of them as columns"
            for field, column in self.fields.items()
        }
        check_columns(file.path, columns, fixes)

    def read(self, partition: TableSplit) -> Iterator[Reference | DeadLetter]:
        """The records of a file.

        Yields:
            References with the fields of `TextFields` or `PairFields`, and dead letters for rows
            that are ragged or malformed, and for fields that are empty or no text.
        """
        name = name_of(partition.path, self._folder)
        columns = {field: fold_name(column) for field, column in self.fields.items()}
        rows = read_rows(partition.path, partition.format, self.encoding, self.columns)
        for number, row in rows:
            key = f"{name}:{number}"
            try:
                yield self.refer(key, partition.split, **_pick(row, columns))
            except BadRecord as bad:
                yield DeadLetter(key, name, bad.step, bad.reason)


def _pick(row: Row | BadRecord, columns: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(row, BadRecord):
        raise row
    return {field: row.get(column) for field, column in columns.items()}


class ClassTable(Table, TextClassSource):
    """Rows with a column of texts and one of labels.

    Example:
        >>> from pathlib import Path
        >>> source = ClassTable(path=Path("data/reviews"), text="review", label="stars")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    text: str = setting("text", "the column of texts")
    label: str = setting("label", "the column of labels")

    @property
    def fields(self) -> Mapping[str, str]:
        """The columns of `TextFields`."""
        return {"text": self.text, "label": self.label}

    def refer(self, key: str, split: str, **fields: Any) -> Reference:
        """See `refer_text`."""
        return refer_text(key, split, **fields)


class PairTable(Table, TextPairSource):
    """Rows with a column for each of two languages."""

    source: str = setting(help="the column to translate from")
    target: str = setting(help="the column to translate to")
    alignment: str | None = setting(
        None, "the column of word alignments in Pharaoh format (0-0 2-1); null: there are none"
    )

    @property
    def has_alignments(self) -> bool:
        """Whether there is a column of them."""
        return self.alignment is not None

    @property
    def fields(self) -> Mapping[str, str]:
        """The columns of `PairFields`."""
        sides = {"source": self.source, "target": self.target}
        return sides if self.alignment is None else {**sides, "alignment": self.alignment}

    def refer(self, key: str, split: str, **fields: Any) -> Reference:
        """See `refer_pair`."""
        return refer_pair(key, split, **fields)
