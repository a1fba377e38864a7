"""Reads all of a data set, and compares it with what its build noted."""

from collections.abc import Iterator
from pathlib import Path

from rnnpipe.errors import Faults, UserError
from rnnpipe.records.codec import decode_example, encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import FIX
from rnnpipe.records.layout import DEAD_LETTERS
from rnnpipe.records.tfrecord import read_tfrecord


def verify_records(records: RecordsDirectory) -> int:
    """Reads every record of a data set.

    The checksum and the fields of each record are checked, the number of records of each file, the
    sizes of the splits, the number of dead letters, and the checksum of each file.

    Returns:
        How many records there are.

    Raises:
        Faults: what is not as the build left it, a fault for each file.
    """
    faults, total = list[UserError](), 0
    records.inventory.forget()
    for split, content in records.stats["splits"].items():
        size = 0
        for path, number in zip(records.shards(split), content["shard_records"], strict=True):
            try:
                total += _verify_shard(records, path, number)
                size += path.stat().st_size
            except UserError as fault:
                faults.append(fault)
        if not faults and size != content["num_bytes"]:
            where = f"{records.path}, {split}"
            got = f"{size:,}"
            faults.append(UserError(where, f"{content['num_bytes']:,} bytes of records", got, FIX))
    faults += _verify_dead_letters(records)
    if faults:
        raise Faults(faults)
    return total


def _verify_shard(records: RecordsDirectory, path: Path, expected: int) -> int:
    """How many records a file has.

    Raises:
        UserError: it is damaged, or has another number of records.
    """
    number = 0
    for number, serialised in enumerate(read_tfrecord(path), start=1):
        try:
            same = encode_example(records.spec, decode_example(records.spec, serialised))
        except ValueError as fault:
            got = f"something else ({fault})"
        else:
            got = "" if same == serialised else "other fields"
        if got:
            where = f"{path}, record {number}"
            raise UserError(where, f"a record of the kind {records.spec.name}", got, FIX)
    if number != expected:
        raise UserError(str(path), f"{expected:,} records", f"{number:,}", FIX)
    if difference := records.inventory.find_fault(path.name):
        raise difference
    return number


def _verify_dead_letters(records: RecordsDirectory) -> Iterator[UserError]:
    path, expected = records.path / DEAD_LETTERS, sum(records.stats["dead_letters"].values())
    try:
        number = sum(1 for _ in records.dead_letters())
    except (OSError, ValueError) as fault:
        yield UserError(str(path), "dead letters as JSON lines", str(fault), FIX)
        return
    if number != expected:
        yield UserError(str(path), f"{expected:,} dead letters", f"{number:,}", FIX)
