"""TFRecord files, without TensorFlow.

A record on disk is its length (uint64), the masked CRC-32C of the length, the data, and the masked
CRC-32C of the data, all little-endian.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import google_crc32c

from rnnpipe.errors import UserError
from rnnpipe.records.inventory import FIX
from rnnpipe.records.manifest import FileDigest, StoredFile
from rnnpipe.records.worker_file import writing_file

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


def _masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and shifted so that a checksum of data with checksums stays sound."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def write_tfrecord(
    path: Path, records: Iterable[bytes], partial_folder: Path | None = None
) -> StoredFile:
    """Writes a whole TFRecord file or none, see `writing_file`.

    Args:
        path: the file.
        records: what it holds.
        partial_folder: where the unfinished file lies; by default beside `path`.

    Returns:
        The size and the checksum of the file.
    """
    digest = FileDigest()
    with writing_file(path, partial_folder) as unfinished, unfinished.open("wb") as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            header = _HEADER.pack(len(record), _masked_crc(length))
            for part in (header, record, _FOOTER.pack(_masked_crc(record))):
                file.write(part)
                digest.update(part)
    return digest.finish()


def read_tfrecord(path: Path) -> Iterator[bytes]:
    """The records of a TFRecord file, their checksums verified.

    Raises:
        UserError: the file is cut short or damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        while header := file.read(_HEADER.size):
            start = file.tell() - len(header)
            if len(header) < _HEADER.size:
                raise _damaged(path, start, "a header cut short")
            length, crc = _HEADER.unpack(header)
            if _masked_crc(header[:8]) != crc:
                raise _damaged(path, start, "a length whose checksum is wrong")
            # Before it is read: a length may be anything, and memory is not.
            if length > size - file.tell() - _FOOTER.size:
                raise _damaged(path, start, "a record cut short")
            record, footer = file.read(length), file.read(_FOOTER.size)
            if len(record) < length or len(footer) < _FOOTER.size:
                raise _damaged(path, start, "a record cut short")
            if _FOOTER.unpack(footer)[0] != _masked_crc(record):
                raise _damaged(path, start, "a record whose checksum is wrong")
            yield record


def _damaged(path: Path, offset: int, got: str) -> UserError:
    return UserError(f"{path} at byte {offset}", "a whole TFRecord", got, FIX)
