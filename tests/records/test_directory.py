import json
import os
import re
from contextlib import ExitStack

import pytest

from rnnpipe.errors import UserError
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import DamagedRecords
from rnnpipe.records.layout import shard_name
from rnnpipe.records.manifest import MANIFEST, Manifest
from rnnpipe.records.publication import publishing
from rnnpipe.records.specs import TEXT_CLASS, VQA
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.storage.leftovers import unfinished_folder
from tests.records.handmade_stats import make_stats

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


OTHER = {"text_id": "1", "text": "fine", "tokens": [4], "label": 1}
SPLIT = {"records": 1, "shard_records": [1], "num_bytes": 1, "histograms": {}}
LETTER = {"key": "k", "source": "raw", "step": "read text", "reason": "it is empty"}


def fill(folder):
    """The least that makes a folder a records directory."""
    shards = [[RECORD], [{**RECORD, "question_id": 2}, {**RECORD, "question_id": 3}]]
    for number, shard in enumerate(shards):
        path = folder / shard_name("vqa", "train", number, len(shards))
        write_tfrecord(path, [encode_example(VQA, record) for record in shard])
    train = {"records": 3, "shard_records": [1, 2], "num_bytes": 1, "histograms": {}}
    (folder / "stats.json").write_text(json.dumps(make_stats("vqa", train=train)))
    (folder / "fingerprint.json").write_text('{"fingerprint": "abc"}')
    (folder / "answers.json").write_text('["so"]')
    (folder / "dead_letters-00000.jsonl").write_text(json.dumps(LETTER) + "\n")


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
    assert list(records.dead_letters()) == [LETTER]


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


EMPTY = {"records": 0, "num_bytes": 0, "shard_records": [], "histograms": {}}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("stats.json", make_stats("vqa") | {"splits": []}, "splits: input should be an object"),
        ("stats.json", make_stats("vqa"), "there are no splits"),
        ("stats.json", make_stats("poem", train=EMPTY), "records of the unknown kind 'poem'"),
        (
            "stats.json",
            make_stats("vqa", train={"records": 1}),
            "splits.train.num_bytes: field required",
        ),
        ("stats.json", make_stats("vqa", train=SPLIT | {"records": 2}), "2 records, 1 in its"),
        ("stats.json", make_stats("vqa", train=SPLIT | {"num_bytes": -1}), "splits.train.num_b"),
        (
            "stats.json",
            make_stats("vqa", train=SPLIT | {"histograms": {"tokens": {"many": 1}}}),
            "splits.train.histograms.tokens: values are whole numbers",
        ),
        (
            "stats.json",
            make_stats("vqa") | {"most_frequent_answer": None},
            "most_frequent_answer is missing",
        ),
        ("stats.json", make_stats("caption"), "most_frequent_caption is missing"),
        (
            "stats.json",
            make_stats("vqa") | {"dead_letters": {"read text": 1}},
            "no reason for the dead letters of the step read text",
        ),
        ("stats.json", {**make_stats("vqa"), "read": "1"}, "read: input should be a valid integer"),
        (
            "stats.json",
            make_stats("vqa", **{"../train": SPLIT}),
            "vqa-../train.tfrecord-00000-of-00001 is missing",
        ),
        ("fingerprint.json", [], "input should be an object"),
        ("fingerprint.json", {}, "fingerprint: field required"),
    ],
)
def test_files_of_something_else_are_refused_though_they_are_sealed(
    directory, name, content, reason
):
    (directory / name).write_text(json.dumps(content))
    Manifest.of(directory).write(directory)
    with pytest.raises(DamagedRecords, match=f"without whole records .*{re.escape(reason)}"):
        RecordsDirectory.open(directory)


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
    killed = tmp_path / "records.incomplete-0123abcd"
    killed.mkdir()
    (killed / ".lock").write_text("")
    with unfinished_folder(tmp_path, "records") as running:
        with publishing(tmp_path / "records") as staging:
            fill(staging.local)
        assert {path.name for path in tmp_path.iterdir()} == {"records", running.name}


def test_an_unwritable_target_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    expected = "expected a directory for records that can be written"
    with pytest.raises(UserError, match=expected), publishing(tmp_path / "file" / "records"):
        pass


def test_what_is_no_file_of_the_data_set_is_not_removed_with_it(directory):
    (directory / ".hidden").write_text("")
    (directory / "thesis.tex").write_text("precious")
    expected = r"got one with other things in it \(thesis.tex\), which would be lost; move them"
    with pytest.raises(UserError, match=expected), publishing(directory):
        pass
    assert (directory / "thesis.tex").read_text() == "precious"
    assert RecordsDirectory.open(directory).fingerprint == "abc"  # it is read by nothing


def test_records_that_are_held_are_not_replaced(directory):
    records = RecordsDirectory.open(directory)

    def build():
        with publishing(directory) as staging:
            fill(staging.local)

    expected = "expected records that no other process works on, got some that another process"
    with records.hold(), RecordsDirectory.open(directory).hold():  # by two that read
        pass
    with records.hold(), pytest.raises(UserError, match=expected):
        build()
    assert records.fingerprint == "abc"
    build()
    assert [path.name for path in directory.parent.iterdir()] == ["records"]


def test_records_that_are_being_replaced_are_not_held(directory):
    records = RecordsDirectory.open(directory)
    with publishing(directory) as staging:
        fill(staging.local)
        with pytest.raises(UserError, match="some that a build replaces; wait"), records.hold():
            raise AssertionError("two have them")
    with records.hold():  # they are the same
        pass
    with publishing(directory) as staging:
        fill(staging.local)
        (staging.local / "fingerprint.json").write_text('{"fingerprint": "new"}')
    with pytest.raises(UserError, match="others, built or removed meanwhile"), records.hold():
        raise AssertionError("they are others")


@pytest.mark.parametrize("same", [True, False])
def test_of_two_that_build_at_once_the_second_leaves_records_that_are_read(tmp_path, same):
    path = tmp_path / "records"

    def build():
        with publishing(path) as staging:
            fill(staging.local)
            with publishing(path) as other:
                fill(other.local)
                if not same:
                    (other.local / "answers.json").write_text('["no"]')
            held.enter_context(RecordsDirectory.open(path).hold())

    with ExitStack() as held:
        if same:
            build()
        else:
            with pytest.raises(UserError, match="some that another process reads"):
                build()
    assert RecordsDirectory.open(path).answers == (["so"] if same else ["no"])
    assert [left.name for left in tmp_path.iterdir()] == ["records"]


def test_a_pipe_or_a_link_to_nothing_is_no_file(directory):
    for name in ("answers.json", "vqa-train.tfrecord-00000-of-00002", MANIFEST):
        content = (directory / name).read_bytes()
        (directory / name).unlink()
        os.mkfifo(directory / name)
        with pytest.raises(DamagedRecords, match=name):
            RecordsDirectory.open(directory)
        (directory / name).unlink()
        (directory / name).symlink_to("nowhere")
        with pytest.raises(DamagedRecords, match=name):
            RecordsDirectory.open(directory)
        (directory / name).unlink()
        (directory / name).write_bytes(content)
    assert RecordsDirectory.open(directory).fingerprint == "abc"


@pytest.mark.parametrize("record", [b"junk", b"", encode_example(TEXT_CLASS, OTHER)])
def test_a_record_of_another_kind_is_an_error_with_its_number(directory, record):
    path = directory / shard_name("vqa", "train", 1, 2)
    write_tfrecord(path, [encode_example(VQA, RECORD), record])
    (directory / MANIFEST).unlink()
    Manifest.of(directory).write(directory)
    expected = f"{path}, record 2: expected a record of the kind vqa, got something else "
    with pytest.raises(UserError, match=re.escape(expected)):
        list(RecordsDirectory.open(directory).read("train"))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("answers.json", '{"a": 1}', "answers.json: expected a list of names, got something else"),
        ("answers.json", "[1]", "answers.json: expected a list of names, got something else"),
        ("dead_letters-00000.jsonl", "{}\n", "jsonl:1: expected a dead letter, got something else"),
        ("dead_letters-00000.jsonl", "\n", "jsonl:1: expected a dead letter, got something else"),
    ],
)
def test_other_files_of_something_else_are_refused_when_they_are_read(
    directory, name, text, expected
):
    (directory / name).write_text(text)
    (directory / MANIFEST).unlink()
    Manifest.of(directory).write(directory)
    records = RecordsDirectory.open(directory)
    with pytest.raises(UserError, match=expected):
        _ = records.answers if name == "answers.json" else list(records.dead_letters())
