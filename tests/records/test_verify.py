import json
import shutil

import pytest

from rnnpipe.errors import Faults
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.manifest import Manifest
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import read_tfrecord, write_tfrecord
from rnnpipe.records.verify import verify_records
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_classes import TextClassRecipe


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    raw = tmp_path_factory.mktemp("raw")
    rows = "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40))
    (raw / "train.csv").write_text(f"text,label\n{rows},a\n")
    build = Build(ClassTable(path=raw), TextClassRecipe(), {"test": 0.2}, records_per_shard=9)
    return build.run(raw / "records").path


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "records")


def fault_of(folder):
    """What a data set says that is sealed as it is."""
    Manifest.of(folder).write(folder)
    with pytest.raises(Faults) as fault:
        verify_records(RecordsDirectory.open(folder), decode_jpeg)
    return str(fault.value)


def shard_of(folder):
    return next(path for path in sorted(folder.glob("*train.tfrecord*")) if path.stat().st_size)


def test_finished_records_pass_verification(built):
    assert verify_records(RecordsDirectory.open(built), decode_jpeg) == 40


def test_a_changed_byte_is_detected(folder):
    path = shard_of(folder)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Faults, match=f"{path} at byte"):
        verify_records(RecordsDirectory.open(folder), decode_jpeg)


def test_whole_records_of_another_data_set_are_detected(folder):
    path = shard_of(folder)
    records = list(read_tfrecord(path))
    write_tfrecord(path, records[::-1])
    with pytest.raises(Faults, match=f"{path}: expected 917 bytes with the checksum .*, got 917 b"):
        verify_records(RecordsDirectory.open(folder), decode_jpeg)


def test_missing_and_surplus_records_are_detected(folder):
    path = shard_of(folder)
    raw = path.read_bytes()
    path.write_bytes(b"")
    assert f"{path}: expected " in fault_of(folder)
    assert "records, got 0; build the records again with `rnnpipe build`" in fault_of(folder)
    path.write_bytes(raw + raw)
    assert f"{path}: expected " in fault_of(folder)


def test_a_record_of_another_kind_is_detected(folder):
    path = shard_of(folder)
    pair = {
        "pair_id": "1",
        "source": "a",
        "target": "b",
        "source_tokens": [4],
        "target_tokens": [4],
    }
    for record in (encode_example(TEXT_PAIR, pair), b"", b"no example"):
        write_tfrecord(path, [record])
        assert f"{path}, record 1: expected a record of the kind text_class, got " in fault_of(
            folder
        )


def test_dead_letters_and_sizes_are_counted(folder):
    stats = json.loads((folder / "stats.json").read_text())
    stats["splits"]["test"]["num_bytes"] += 1
    (folder / "stats.json").write_text(json.dumps(stats))
    (folder / "dead_letters-00000.jsonl").write_text("")
    size, letters = fault_of(folder).splitlines()
    assert size.startswith(f"{folder}, test: expected ")
    assert letters.endswith(
        "expected 1 dead letters, got 0; build the records again with `rnnpipe build`"
    )
