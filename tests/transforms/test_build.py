import errno
import json
import os
import re
import shutil
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.storage import leftovers
from rnnpipe.transforms import build as build_module
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.passes import write as write_pass
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.tokenization import TextOptions
from rnnpipe.transforms.recipes.vqa import AnswerOptions, VqaRecipe
from rnnpipe.transforms.runners import polling
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import KINDS, contents

SHARES = {"validation": 0.2, "test": 0.2}


def make_recipe(size=32, *, vocabulary=2000, max_tokens=12, min_answer_count=1, features=None):
    """How records of questions are made."""
    return VqaRecipe(
        image=ImageOptions(size=size),
        features=features,
        question=TextOptions(vocabulary=vocabulary, max_tokens=max_tokens),
        answers=AnswerOptions(min_answer_count=min_answer_count),
    )


RECIPE = make_recipe()


def make_build(raw, **options):
    source = VqaV2(path=raw)
    source.prepare(lambda done, total: None)
    return Build(source, options.pop("recipe", RECIPE), SHARES, **options)


def image_of(raw, number):
    return raw / "train" / f"COCO_train_{number:012d}.jpg"


def test_records_have_the_content_of_the_raw_data(handmade_vqa, tmp_path):
    source = VqaV2(path=handmade_vqa)
    recipe = make_recipe(16, vocabulary=9, max_tokens=4)
    records = Build(source, recipe, {}).run(tmp_path / "records")
    read = {record["question_id"]: record for record in records.read("train")}
    assert sorted(read) == [10, 11, 20, 30]
    assert records.answers == ["2", "green", "red", "yes", "no"]

    record = read[11]
    jpeg = record.pop("image_jpeg")
    pixels = np.asarray(Image.open(BytesIO(jpeg)))
    assert pixels.shape == (16, 16, 3)
    assert np.abs(pixels.astype(int) - [254, 0, 0]).max() < 8
    pieces = records_tokenizer(records).pieces
    assert record == {
        "question_id": 11,
        "image_id": 1,
        "question": "Is it red?",
        "question_tokens": [pieces.index(f"\u2581{word}") for word in ("is", "it")]
        + [1]  # nine pieces are the four special ones and the five most frequent words
        + [pieces.index("\u2581?")],
        "question_type": "is it",
        "answers": ["yes"] * 9 + ["no"],
        "answer_type": "other",
        "answer_ids": [3, 4],
        "answer_weights": pytest.approx([0.9, 0.1]),
    }
    assert read[10]["answer_weights"] == [1.0]  # "Red." is "red"
    assert read[30]["answer_ids"] == [0]  # "two" is "2"


def records_tokenizer(records):
    from rnnpipe.text.tokenizer import Tokenizer

    return Tokenizer.load(records.path)


def test_tensorflow_datasets_opens_the_records_and_splits_are_disjoint_by_image(
    drawn_vqa, tmp_path
):
    records = make_build(drawn_vqa, records_per_shard=20).run(tmp_path / "records")
    builder = tfds.builder_from_directory(str(records.path))
    images = {}
    for split, count in records.splits.items():
        rows = list(tfds.as_numpy(builder.as_dataset(split=split)))
        assert len(rows) == builder.info.splits[split].num_examples == count
        assert all(row["image_jpeg"].shape == (32, 32, 3) for row in rows)
        images[split] = {int(row["image_id"]) for row in rows}
        theirs = [int(row["question_id"]) for row in rows]
        ours = [record["question_id"] for record in records.read(split)]
        assert sorted(theirs) == sorted(ours)
    assert sum(map(len, images.values())) == len(set().union(*images.values())) == 24
    assert sum(records.splits.values()) == 96


def test_bad_records_become_dead_letters_and_counts_add_up(drawn_vqa, tmp_path):
    image_of(drawn_vqa, 3).write_bytes(image_of(drawn_vqa, 3).read_bytes()[:200])
    image_of(drawn_vqa, 5).unlink()
    records = make_build(drawn_vqa, max_bad_fraction=0.2).run(tmp_path / "records")
    letters = list(records.dead_letters())
    assert Counter(letter["step"] for letter in letters) == {"decode image": 4, "find image": 4}
    assert records.stats["read"] == 96
    assert records.stats["written"] == 88 == sum(records.splits.values())
    assert records.stats["dead_letters"] == {"decode image": 4, "find image": 4}
    kept = {record["image_id"] for split in records.splits for record in records.read(split)}
    assert kept == set(range(1, 25)) - {3, 5}


def test_too_many_bad_records_fail_the_build_and_leave_nothing(drawn_vqa, tmp_path):
    for number in range(1, 7):
        image_of(drawn_vqa, number).write_bytes(b"<html>not found</html>")
    with pytest.raises(UserError) as fault:
        make_build(drawn_vqa).run(tmp_path / "records")
    message = str(fault.value)
    assert message.startswith(
        "build.max_bad_fraction: expected at most 0.05 of the raw records to be bad, "
        "got 24 of 96 (24 x decode image: "
    )
    assert not list(tmp_path.glob("records*"))


def test_leftovers_of_killed_attempts_are_not_published(drawn_vqa, tmp_path, monkeypatch):
    undisturbed = make_build(drawn_vqa).run(tmp_path / "undisturbed")

    def kill_once(path, records, partial_folder):
        records = list(records)
        with monkeypatch.context() as patched:  # whoever is killed removes nothing
            patched.setattr(leftovers, "_remove", lambda path: None)
            with pytest.raises(KeyboardInterrupt):
                write_tfrecord(path, killed(records), partial_folder)
        left.update(partial_folder.iterdir())
        return write_tfrecord(path, records, partial_folder)

    def killed(records):
        yield from records
        raise KeyboardInterrupt

    left = set()
    monkeypatch.setattr(write_pass, "write_tfrecord", kill_once)
    records = make_build(drawn_vqa).run(tmp_path / "records")
    assert len(left) == len(records.splits) == 3
    assert contents(records.path) == contents(undisturbed.path)


def test_a_full_disk_is_reported(drawn_vqa, tmp_path, monkeypatch):
    def fill(path, records, partial_folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write_pass, "write_tfrecord", fill)
    with pytest.raises(UserError, match="expected room for the records, got a full disk"):
        make_build(drawn_vqa).run(tmp_path / "records")
    assert not list(tmp_path.glob("records*"))


def test_an_exceeded_quota_is_reported(drawn_vqa, tmp_path, monkeypatch):
    def fill(path, records, partial_folder):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(write_pass, "write_tfrecord", fill)
    with pytest.raises(UserError, match="expected room for the records, got a full quota"):
        make_build(drawn_vqa).run(tmp_path / "records")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_that_is_removed_meanwhile_is_reported(drawn_vqa, tmp_path, workers):
    def remove(stage, done, total, dead):
        if stage == "counting" and total:
            (left,) = tmp_path.glob("records.incomplete-*")
            shutil.rmtree(left)

    with pytest.raises(UserError, match=r"got .*records\.incomplete-.* removed meanwhile; build a"):
        make_build(drawn_vqa).run(tmp_path / "records", runner=Runner(workers), progress=remove)
    assert not list(tmp_path.glob("records*"))


def test_a_long_build_stops_once_too_many_records_are_bad(drawn_vqa, tmp_path, monkeypatch):
    for number in range(1, 25):
        image_of(drawn_vqa, number).write_bytes(b"<html>not found</html>")
    written = []

    def write_slowly(path, records, partial_folder):
        written.append(path.name)
        size = write_tfrecord(path, records, partial_folder)
        time.sleep(0.2)
        return size

    monkeypatch.setattr(write_pass, "write_tfrecord", write_slowly)
    monkeypatch.setattr(build_module, "_EARLY_STOP_SECONDS", 0.0)
    monkeypatch.setattr(polling, "_SECONDS", 0.01)
    calls = []
    with pytest.raises(UserError) as fault:
        make_build(drawn_vqa, records_per_shard=4).run(
            tmp_path / "records", progress=lambda *state: calls.append(state)
        )
    found = re.search(r"got at least (\d+) of 96 \((\d+) x decode image: ", str(fault.value))
    assert found is not None
    assert 4 < int(found[1]) == int(found[2]) < 96
    assert calls[-1][3] < 96
    assert len(written) < 24
    assert not list(tmp_path.glob("records*"))


def test_a_finished_build_is_known_by_its_fingerprint(drawn_vqa, tmp_path):
    build = make_build(drawn_vqa)
    assert not build.find_finished(tmp_path / "records")
    build.run(tmp_path / "records")
    assert make_build(drawn_vqa).find_finished(tmp_path / "records")
    assert make_build(drawn_vqa, max_bad_fraction=0.5).find_finished(tmp_path / "records")
    for changed in (
        make_build(drawn_vqa, recipe=make_recipe(max_tokens=5)),
        make_build(drawn_vqa, records_per_shard=7),
    ):
        assert not changed.find_finished(tmp_path / "records")
    image_of(drawn_vqa, 1).write_bytes(b"another image")
    assert not make_build(drawn_vqa).find_finished(tmp_path / "records")


def test_moved_raw_data_is_the_same_data(drawn_vqa, tmp_path):
    make_build(drawn_vqa).run(tmp_path / "records")
    moved = drawn_vqa.rename(tmp_path / "moved")
    assert make_build(moved).find_finished(tmp_path / "records")


def test_a_threshold_above_all_answers_is_reported(drawn_vqa, tmp_path):
    build = make_build(drawn_vqa, recipe=make_recipe(min_answer_count=10_000))
    with pytest.raises(UserError) as fault:
        build.run(tmp_path / "records")
    assert str(fault.value).startswith(
        "data.answers.min_answer_count: expected at least one answer that 10000 people gave, "
        "got none"
    )
    assert not list(tmp_path.glob("records*"))


def test_few_images_still_fill_every_split(handmade_vqa, tmp_path):
    build = Build(VqaV2(path=handmade_vqa), RECIPE, {"validation": 0.3, "test": 0.3})
    records = build.run(tmp_path / "records")
    assert set(records.splits) == {"train", "validation", "test"}
    assert sum(records.splits.values()) == 4


def test_a_split_that_would_be_empty_is_reported(handmade_vqa, tmp_path):
    build = Build(VqaV2(path=handmade_vqa), RECIPE, {"validation": 1e-9, "test": 0.1})
    with pytest.raises(UserError, match=r"data\.splits\.validation: expected at least one record"):
        build.run(tmp_path / "records")


def test_a_split_of_bad_records_alone_is_reported(handmade_vqa, tmp_path):
    for image in (handmade_vqa / "train2014").iterdir():
        image.write_bytes(b"")
    build = Build(VqaV2(path=handmade_vqa), RECIPE, {}, max_bad_fraction=1.0)
    with pytest.raises(UserError, match=r"data\.source: expected at least one record for train"):
        build.run(tmp_path / "records")
    assert not list(tmp_path.glob("records*"))


def test_statistics_describe_the_records(handmade_vqa, tmp_path):
    records = Build(VqaV2(path=handmade_vqa), make_recipe(16, max_tokens=4), {}).run(
        tmp_path / "records"
    )
    stats = json.loads((records.path / "stats.json").read_text())
    histograms = stats["splits"]["train"]["histograms"]
    assert histograms["question_tokens"] == {"4": 1, "5": 3}
    assert histograms["question_tokens_cut"] == {"0": 1, "1": 3}
    assert histograms["question_tokens_unknown"] == {"0": 4}
    assert histograms["answers_known"] == {"10": 4}
    assert stats["most_frequent_answer"] == "2"
    assert stats["most_frequent_answer_by_question_type"] == {
        "how many": "2",
        "is it": "yes",
        "what color": "green",
    }
    assert stats["answer_coverage"] == 1


def test_progress_is_reported(drawn_vqa, tmp_path):
    (drawn_vqa / "train" / sorted(os.listdir(drawn_vqa / "train"))[0]).write_bytes(b"")
    calls = []
    build = make_build(drawn_vqa, max_bad_fraction=0.1)
    build.run(tmp_path / "records", progress=lambda *state: calls.append(state))
    assert calls[0] == ("counting", 0, 0, 0)
    assert ("counting", 96, 96, 0) in calls
    assert calls[-1] == ("writing", 96, 96, 4)  # the questions about one image


def test_file_names_are_those_of_tensorflow_datasets(drawn_vqa, tmp_path):
    records = make_build(drawn_vqa, records_per_shard=20).run(tmp_path / "records")
    assert isinstance(records, RecordsDirectory)
    shards = len(records.shards("train"))
    assert (records.path / f"vqa-train.tfrecord-00000-of-{shards:05d}").is_file()
    assert Path(records.path / "features.json").is_file()


@pytest.mark.parametrize("change", ["appended", "changed and changed back", "replaced", "removed"])
def test_raw_data_that_changes_during_the_build_is_an_error(tmp_path, change):
    raw = KINDS["text_class"](tmp_path / "raw", 40, 0)
    table = tmp_path / "raw" / "train.csv"
    content = table.read_text()

    def write(stage, done, total, dead_letters):
        if stage == "writing" and done == total:
            if change == "removed":
                table.unlink(missing_ok=True)
            elif change == "replaced":
                (tmp_path / "other.csv").write_text(content)
                (tmp_path / "other.csv").replace(table)
            else:
                table.write_text(content + "one,0\n")
                table.write_text(content if change != "appended" else content + "one,0\n")

    with pytest.raises(UserError, match=r"data\.source: expected raw data that stays as it is"):
        raw.build().run(tmp_path / "records", progress=write)
    assert [path.name for path in tmp_path.iterdir() if path.name != "raw"] == []


@pytest.mark.parametrize("changes", [True, False])
def test_what_readers_raise_of_changed_raw_data_says_that_it_changed(
    tmp_path, changes, monkeypatch
):
    raw = KINDS["text_class"](tmp_path / "raw", 40, 0)
    table = tmp_path / "raw" / "train.csv"

    def fail(self, gathered):
        if changes:
            table.write_text(table.read_text() + "one,0\n")
        raise IndexError("no such row")

    monkeypatch.setattr(write_pass.ShardWriter, "write", fail)
    message = r"data\.source: expected raw data that stays" if changes else "no such row"
    with pytest.raises(UserError if changes else IndexError, match=message) as fault:
        raw.build().run(tmp_path / "records")
    assert not changes or isinstance(fault.value.__cause__, IndexError)
    assert [path.name for path in tmp_path.iterdir() if path.name != "raw"] == []


def test_an_image_that_is_replaced_by_one_of_its_size_counts_as_changed(drawn_vqa, tmp_path):
    image = image_of(drawn_vqa, 1)

    def write(stage, done, total, dead_letters):
        if stage == "writing" and done == total:
            image.write_bytes(image.read_bytes()[::-1])

    with pytest.raises(UserError, match=r"data\.source: expected raw data that stays as it is"):
        make_build(drawn_vqa).run(tmp_path / "records", progress=write)
    assert not list(tmp_path.glob("records*"))
