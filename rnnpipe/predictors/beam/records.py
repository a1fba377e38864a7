"""Records directories as places that rows come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.predictors.beam.ranges import RowRange, cut, to_json_value
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.predictors.rows import RowReader
from rnnpipe.records.codec import decode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.specs import RecordSpec
from rnnpipe.records.tfrecord import read_tfrecord
from rnnpipe.sources.images.decoding import StoredJpeg

_FIELDS: Mapping[str, Sequence[str]] = {
    "text": ("text", "source"),
    "image": ("image_jpeg",),
    "question": ("question",),
}
"""The fields of records that inputs are read from, the first that a kind of record has."""


@dataclass(frozen=True)
class Records:
    """A split of a records directory.

    Args:
        columns: the fields that are passed on: texts and numbers.
        notices: none.
        records: the directory.
        split: which split.
        inputs: the field of each input.
    """

    columns: Sequence[str]
    notices: Sequence[str]
    records: RecordsDirectory
    split: str
    inputs: Mapping[str, str]

    @classmethod
    def open(cls, path: Path, reader: RowReader, split: str) -> Records:
        """Opens a directory, and finds the fields of the inputs."""
        records = RecordsDirectory.open(path)
        fields, inputs = records.spec.fields, {}
        for declared in reader.missing():
            names = [name for name in _FIELDS.get(declared.name, ()) if name in fields]
            if not names or "image_features" in fields:
                expected = f"records of raw inputs: {declared.name}"
                fix = "name the raw data that they were built from"
                raise UserError(f"--input {path}", expected, records.spec.name, fix)
            inputs[declared.name] = names[0]
        records.stored_shards(split)  # there is such a split
        plain = ("text", "int64")
        columns = [k for k, f in fields.items() if f.kind in plain and f.type == f.kind]
        return cls(columns, [], records, split, inputs)

    def cut(self, room: int, size: int, folder: Path) -> Iterator[RowRange]:
        """All its records in ranges, none of which has records of two files."""
        del folder
        lengths = self.records.stats["splits"][self.split]["shard_records"]
        spec = self.records.spec
        for path, length in zip(self.records.stored_shards(self.split), lengths, strict=True):
            for first, rows in cut(length, room, size):
                room = room - rows if rows < room else size
                yield RecordRange(rows, path, spec, first, self.inputs, self.columns)


@dataclass(frozen=True, slots=True)
class RecordRange:
    """Records of a shard of a records directory.

    Args:
        size: how many they are.
        path: the shard.
        spec: the kind of record.
        first: how many records of the shard come before.
        inputs: the field of each input.
        columns: the fields that are passed on.
    """

    size: int
    path: Path
    spec: RecordSpec
    first: int
    inputs: Mapping[str, str]
    columns: Sequence[str]

    def read(self, reader: RowReader) -> Iterator[InputRow]:
        """The rows, in their order."""
        records = islice(read_tfrecord(self.path), self.first, self.first + self.size)
        fields = {*self.columns, *self.inputs.values()}
        for number, serialised in enumerate(records, self.first + 1):
            record = decode_example(self.spec, serialised, fields)
            row = {name: self._read_field(record, field) for name, field in self.inputs.items()}
            shown = {name: to_json_value(record[name]) for name in self.columns}
            yield InputRow(f"{self.path.name}, record {number}", shown, reader.pick(row))

    def _read_field(self, record: Mapping[str, Any], field: str) -> Any:
        value = record[field]
        return StoredJpeg(value) if self.spec.fields[field].kind == "jpeg" else value
