import struct

import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.records.manifest import StoredFile
from rnnpipe.records.tfrecord import _masked_crc, read_tfrecord, write_tfrecord

RECORDS = [b"", b"one", b"\x00" * 1000]


def test_bytes_equal_those_of_tensorflow(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in RECORDS:
            writer.write(record)
    written = write_tfrecord(tmp_path / "ours", RECORDS)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert written == StoredFile.of(tmp_path / "ours")


def test_records_survive_the_round_trip(tmp_path):
    write_tfrecord(tmp_path / "file", RECORDS)
    assert list(read_tfrecord(tmp_path / "file")) == RECORDS


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    def fail():
        yield b"one"
        assert not (tmp_path / "file").exists()
        raise RuntimeError("stop")

    (tmp_path / "partial").mkdir()
    with pytest.raises(RuntimeError, match="stop"):
        write_tfrecord(tmp_path / "file", fail(), tmp_path / "partial")
    assert [path.name for path in tmp_path.iterdir()] == ["partial"]


@pytest.mark.parametrize(
    ("damage", "got"),
    [
        (lambda data: data[:-1], "got a record cut short"),
        (lambda data: data[:-20], "got a record cut short"),
        (lambda data: data[:22], "got a header cut short"),
        (lambda data: b"\x07" + data[1:], "got a length whose checksum is wrong"),
        (lambda data: data[:-10] + b"\x07" + data[-9:], "got a record whose checksum is wrong"),
    ],
)
def test_damage_is_detected(tmp_path, damage, got):
    path = tmp_path / "file"
    write_tfrecord(path, RECORDS)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError) as fault:
        list(read_tfrecord(path))
    assert str(fault.value).startswith(f"{path} at byte ")
    assert got in str(fault.value)


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1])
def test_a_length_beyond_the_file_is_damage_and_takes_no_memory(tmp_path, length):
    write_tfrecord(tmp_path / "file", [b"one"])
    header = struct.pack("<Q", length)
    (tmp_path / "file").write_bytes(
        header + struct.pack("<I", _masked_crc(header)) + (tmp_path / "file").read_bytes()[12:]
    )
    with pytest.raises(UserError, match="at byte 0: expected a whole TFRecord, got a record cut"):
        list(read_tfrecord(tmp_path / "file"))
