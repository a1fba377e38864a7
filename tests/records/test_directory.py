import json
import os
import socket

import pytest

from rnnpipe.errors import UserError
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.publication import publishing
from rnnpipe.records.specs import VQA
from rnnpipe.records.tfrecord import write_tfrecord

RECORD = {
    "question_id": 1,
    "image_id": 2,
    "image_jpeg": b"",
    "question": "why?",
    "question_tokens": [4, 5],
    "question_type": "why",
    "answers": ["so"] * 10,
    "answer_type": "other",
    "answer_ids": [0],
    "answer_weights": [1.0],
}


def fill(folder):
    """The least that makes a folder a records directory."""
    shards = [[RECORD], [{**RECORD, "question_id": 2}, {**RECORD, "question_id": 3}]]
    for number, shard in enumerate(shards):
        path = folder / shard_name("vqa", "train", number, len(shards))
        write_tfrecord(path, [encode_example(VQA, record) for record in shard])
    train = {"records": 3, "shard_records": [1, 2], "num_bytes": 1, "histograms": {}}
    (folder / "stats.json").write_text(json.dumps({"kind": "vqa", "splits": {"train": train}}))
    (folder / "fingerprint.json").write_text('{"fingerprint": "abc"}')
    (folder / "answers.json").write_text('["so"]')
    (folder / "dead_letters-00000.jsonl").write_text('{"key": "k"}\n')


@pytest.fixture
def directory(tmp_path):
    with publishing(tmp_path / "records") as staging:
        fill(staging.local)
    return tmp_path / "records"


def test_records_are_read_in_order(directory):
    records = RecordsDirectory.open(directory)
    assert [record["question_id"] for record in records.read("train")] == [1, 2, 3]
    assert list(records.read("train", ["question_id"])) == [{"question_id": n} for n in (1, 2, 3)]
    assert records.splits == {"train": 3}
    assert records.fingerprint == "abc"
    assert records.answers == ["so"]
    assert list(records.dead_letters()) == [{"key": "k"}]


def test_an_unknown_split_is_refused(directory):
    with pytest.raises(UserError, match="expected a split called 'test', got train"):
        RecordsDirectory.open(directory).shards("test")


def test_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(UserError) as fault:
        RecordsDirectory.open(tmp_path / "none")
    assert str(fault.value) == (
        f"{tmp_path / 'none'}: expected a records directory, got no such directory; "
        "build it with `rnnpipe build`"
    )


@pytest.mark.parametrize("missing", ["stats.json", "vqa-train.tfrecord-00001-of-00002"])
def test_a_directory_without_whole_records_is_refused(directory, missing):
    (directory / missing).unlink()
    with pytest.raises(UserError, match="got a directory without whole records") as fault:
        RecordsDirectory.open(directory)
    assert missing in str(fault.value)


def test_a_foreign_directory_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    expected = "got a directory with other things in it"
    with pytest.raises(UserError, match=expected), publishing(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_failed_build_keeps_the_old_records_alone(directory):
    def build():
        with publishing(directory) as staging:
            (staging.local / "half").write_text("")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        build()
    assert RecordsDirectory.open(directory).fingerprint == "abc"
    assert [path.name for path in directory.parent.iterdir()] == ["records"]


def test_new_records_replace_old_ones(directory):
    with publishing(directory) as staging:
        fill(staging.local)
        (staging.local / "fingerprint.json").write_text('{"fingerprint": "new"}')
        assert RecordsDirectory.open(directory).fingerprint == "abc"
    assert RecordsDirectory.open(directory).fingerprint == "new"
    assert [path.name for path in directory.parent.iterdir()] == ["records"]


def test_leftovers_of_killed_builds_are_removed_and_those_of_running_ones_kept(tmp_path):
    prefix = f"records.incomplete-{socket.gethostname()}"
    killed, running = tmp_path / f"{prefix}-{2**22 + 1}", tmp_path / f"{prefix}-{os.getppid()}"
    killed.mkdir()
    running.mkdir()
    with publishing(tmp_path / "records") as staging:
        fill(staging.local)
    assert not killed.exists()
    assert running.exists()


def test_an_unwritable_target_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    expected = "expected a directory for records that can be written"
    with pytest.raises(UserError, match=expected), publishing(tmp_path / "file" / "records"):
        pass
