"""Reads all of a data set, and compares it with what its build noted."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import Faults, UserError
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import FIX
from rnnpipe.records.layout import DEAD_LETTERS, STATS
from rnnpipe.records.limits import read_record
from rnnpipe.records.specs import RecordSpec
from rnnpipe.records.tfrecord import read_tfrecord

Decode = Callable[[bytes], Any]
"""Decodes an image, to an array; whatever it raises, the image cannot be decoded."""

_Shape = tuple[int, ...]


def verify_records(records: RecordsDirectory, decode: Decode) -> int:
    """Reads every record of a data set.

    The checksum and the fields of each record are checked, and what is in them; the number of
    records of each file, the sizes of the splits and the lengths of their sequences, the number of
    dead letters, and the checksum of each file.

    Args:
        records: the data set.
        decode: decodes the images of records.

    Returns:
        How many records there are.

    Raises:
        Faults: what is not as the build left it, a fault for each file.
    """
    faults, total, shapes = list[UserError](), 0, dict[str, _Shape]()
    records.inventory.forget()
    for split, content in records.stats["splits"].items():
        measured = _Measured(records.spec, content["histograms"])
        size = 0
        for path, number in zip(records.shards(split), content["shard_records"], strict=True):
            try:
                total += _ShardReader(records, path, decode, shapes).verify(number, measured)
                size += path.stat().st_size
            except UserError as fault:
                faults.append(fault)
        where = f"{records.path}, {split}"
        if not faults and size != content["num_bytes"]:
            got = f"{size:,}"
            faults.append(UserError(where, f"{content['num_bytes']:,} bytes of records", got, FIX))
        if not faults and (difference := measured.find_difference()):
            faults.append(UserError(where, *difference, FIX))
    faults += _verify_dead_letters(records)
    if faults:
        raise Faults(faults)
    return total


@dataclass(frozen=True, slots=True)
class _ShardReader:
    """Reads all of a file of records.

    Args:
        records: its data set.
        path: the file.
        decode: decodes images.
        shapes: of images and tensors, by field, as the first record of the data set has them.
    """

    records: RecordsDirectory
    path: Path
    decode: Decode
    shapes: dict[str, _Shape]

    def verify(self, expected: int, measured: "_Measured") -> int:
        """How many records it has.

        Args:
            expected: how many it must have.
            measured: what the lengths of its records are added to.

        Raises:
            UserError: it is damaged, has another number of records, or one that is none.
        """
        records, number = self.records, 0
        for number, serialised in enumerate(read_tfrecord(self.path), start=1):
            where = f"{self.path}, record {number}"
            record = read_record(records.spec, records.limits, serialised, where)
            if encode_example(records.spec, record) != serialised:
                kind = records.spec.name
                raise UserError(where, f"a record of the kind {kind}", "other fields", FIX)
            for name, value in record.items():
                for shape in self._shapes_of(where, name, value):
                    if shape != (usual := self.shapes.setdefault(name, shape)):
                        raise UserError(where, f"the shape {usual} of {name}", f"{shape}", FIX)
            measured.add(record)
        if number != expected:
            raise UserError(str(self.path), f"{expected:,} records", f"{number:,}", FIX)
        if difference := records.inventory.find_fault(self.path.name):
            raise difference
        return number

    def _shapes_of(self, where: str, name: str, value: Any) -> Iterator[_Shape]:
        """The shapes that are the same in all records: of images, and of a tensor's items."""
        field = self.records.spec.fields[name]
        if field.axes > 1:
            yield value.shape[1:] if field.sequence else value.shape
        for jpeg in [] if field.kind != "jpeg" else value if field.sequence else [value]:
            try:
                yield tuple(self.decode(jpeg).shape)
            except Exception as fault:
                got = f"one that cannot be decoded ({type(fault).__name__})"
                raise UserError(where, f"an image in {name}", got, FIX) from fault


class _Measured:
    """The lengths of the records of a split, beside those that its build has counted.

    Args:
        spec: the kind of record.
        histograms: of the split, from `stats.json`.
    """

    def __init__(self, spec: RecordSpec, histograms: Mapping[str, Mapping[str, int]]) -> None:
        def is_whole(measure: str) -> bool:  # what was cut is shorter than was counted
            cut = histograms.get(f"{measure}_cut", {})
            return measure in histograms and set(cut) <= {"0"}

        self._measures = {
            name: measure
            for name, field in spec.fields.items()
            for measure in (field.axis or ("" if field.nested else name),)
            if field.is_list and is_whole(measure)
        }
        self._expected = {
            measure: Counter({int(length): count for length, count in histogram.items()})
            for measure, histogram in histograms.items()
        }
        self._got: dict[str, Counter[int]] = {name: Counter() for name in self._measures}

    def add(self, record: Mapping[str, Any]) -> None:
        """Counts the lengths of a record."""
        for name, counts in self._got.items():
            counts[len(record[name])] += 1

    def find_difference(self) -> tuple[str, str] | None:
        """The first length that another number of records has: what was expected, and got."""
        for name, measure in self._measures.items():
            expected, got = self._expected[measure], self._got[name]
            for length in sorted({*expected, *got}):
                if expected[length] != got[length]:
                    what = f"{name} of length {length:,} in {expected[length]:,} records"
                    return f"{what}, as {STATS} has it", f"{got[length]:,}"
        return None


def _verify_dead_letters(records: RecordsDirectory) -> Iterator[UserError]:
    path, expected = records.path / DEAD_LETTERS, sum(records.stats["dead_letters"].values())
    try:
        number = sum(1 for _ in records.dead_letters())
    except (OSError, ValueError) as fault:
        yield UserError(str(path), "dead letters as JSON lines", str(fault), FIX)
        return
    if number != expected:
        yield UserError(str(path), f"{expected:,} dead letters", f"{number:,}", FIX)
