"""The files of shards: JSON lines, CSV, TSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from rnnpipe.predictors.formats import (
    Outcome,
    OutputFormat,
    check_format,
    input_columns,
    make_writer,
    to_cell,
)
from rnnpipe.tasks.prediction import Prediction

_OWN = ("prediction", "probability", "answers", "timeline", "notes")

ShardFormat = Literal["jsonl", "csv", "tsv", "parquet"]

Write = Callable[[Path, Iterable[Outcome]], None]
"""Writes the predictions of a shard to a new file."""


def shard_file(form: ShardFormat, number: int, shards: int) -> str:
    """The name of a file of predictions.

    Example:
        >>> shard_file("jsonl", 3, 12)
        'predictions-00003-of-00012.jsonl'
    """
    return f"predictions-{number:05d}-of-{shards:05d}.{form}"


def make_shard_writer(form: str, columns: Sequence[str], *, alignments: bool = False) -> Write:
    """The function that writes shards of a format.

    Args:
        form: its name.
        columns: of the inputs.
        alignments: whether JSON lines have the attention weights.

    Raises:
        UserError: there is no such format, or it has no attention weights.
    """
    check_format(form, get_args(ShardFormat), alignments=alignments)
    if form == "parquet":
        return _ParquetShards(tuple(columns))
    return _TextShards(cast(OutputFormat, form), tuple(columns), alignments)


@dataclass(frozen=True)
class _TextShards:
    form: OutputFormat
    columns: Sequence[str]
    alignments: bool

    def __call__(self, path: Path, outcomes: Iterable[Outcome]) -> None:
        writer = make_writer(self.form, self.columns, alignments=self.alignments)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(writer.header())
            file.writelines(map(writer.format, outcomes))


@dataclass(frozen=True)
class _ParquetShards:
    """Columns as of tables, with all answers, timeline and notes in nested ones."""

    columns: Sequence[str]

    def __call__(self, path: Path, outcomes: Iterable[Outcome]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        text, number = pa.string(), pa.float64()
        answer = pa.struct([("text", text), ("probability", number), ("score", number)])
        segment = [("start", number), ("end", number), ("label", text), ("probability", number)]
        names = input_columns(self.columns, _OWN)
        schema = pa.schema(
            [
                ("row", pa.int64()),
                *((name, text) for name in names),
                ("prediction", text),
                ("probability", number),
                ("answers", pa.list_(answer)),
                ("timeline", pa.list_(pa.struct(segment))),
                ("notes", pa.list_(text)),
            ]
        )
        rows = [self._row(names, outcome) for outcome in outcomes]
        pq.write_table(pa.Table.from_pylist(rows, schema), path)

    def _row(self, names: Sequence[str], outcome: Outcome) -> dict[str, Any]:
        assert isinstance(outcome.result, Prediction)
        values = outcome.result.to_json()
        cells = (outcome.columns.get(column) for column in self.columns)
        shown = (None if cell is None else to_cell(cell) for cell in cells)
        first = values["answers"][0]["probability"] if values["answers"] else None
        return {
            "row": outcome.row,
            **dict(zip(names, shown, strict=True)),
            "timeline": [],
            "notes": [],
            **values,
            "probability": first,
        }
