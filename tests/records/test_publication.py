import errno
import json
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.records import publication
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import DamagedRecords
from rnnpipe.records.layout import shard_name
from rnnpipe.records.manifest import MANIFEST, Manifest
from rnnpipe.records.publication import publishing
from rnnpipe.records.specs import TEXT_CLASS
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.storage.owner import owner
from rnnpipe.storage.paths import remove_tree
from rnnpipe.storage.store_path import StorePath
from tests.records.handmade_stats import make_stats

RECORD = {"text_id": "1", "text": "fine", "tokens": [4], "label": 1}


def fill(staging, fingerprint="abc"):
    """The least that a data set in a store consists of."""
    path = staging.shared / shard_name("text_class", "train", 0, 1)
    staging.written[path.name] = write_tfrecord(path, [encode_example(TEXT_CLASS, RECORD)])
    train = {"records": 1, "shard_records": [1], "num_bytes": 1, "histograms": {}}
    stats = make_stats("text_class", train=train)
    (staging.local / "stats.json").write_text(json.dumps(stats))
    (staging.local / "fingerprint.json").write_text(json.dumps({"fingerprint": fingerprint}))
    (staging.local / "source").mkdir()
    (staging.local / "source" / "tokenizer.json").write_text("{}")


@pytest.fixture
def place(bucket):
    with publishing(bucket / "records") as staging:
        fill(staging)
    return bucket / "records"


def test_readers_open_the_published_records(place):
    records = RecordsDirectory.open(place)
    assert records.published == place
    assert [record["text"] for record in records.read("train")] == ["fine"]
    assert (records.path / "source" / "tokenizer.json").read_text() == "{}"


def _note(progress, done, total):
    progress.append((done, total))


def test_files_are_fetched_once_and_records_only_when_asked_for(place, monkeypatch):
    fetched = []
    plain = StorePath.download

    def download(self, path):
        fetched.append(self.name)
        return plain(self, path)

    monkeypatch.setattr(StorePath, "download", download)
    for calls in ([(1, 1)], []):
        records, progress = RecordsDirectory.open(place), []
        assert "tfrecord" not in "".join(fetched) or not calls
        records.fetch(partial(_note, progress))
        assert progress == calls
    assert len(fetched) == len(set(fetched)) == 4


def test_a_damaged_file_is_detected(place):
    records = RecordsDirectory.open(place)
    (shard,) = (path for path in place.rglob("*.tfrecord-*"))
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"expected the file that was published, got .* checksum"):
        records.shards("train")
    shard.unlink()
    with pytest.raises(UserError, match="got no such object"):
        records.shards("train")
    assert not list(records.path.glob("*tfrecord*"))


def test_nothing_is_visible_before_publication_or_after_an_error(bucket):
    def build():
        with publishing(bucket / "records") as staging:
            fill(staging)
            with pytest.raises(UserError, match=f"{MANIFEST} is missing"):
                RecordsDirectory.open(bucket / "records")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        build()
    assert not (bucket / "records").exists()


def test_new_records_replace_old_ones_and_readers_notice(place):
    old = RecordsDirectory.open(place)
    with publishing(place) as staging:
        fill(staging, "new")
        assert RecordsDirectory.open(place).fingerprint == "abc"
    new = RecordsDirectory.open(place)
    assert new.fingerprint == "new"
    assert new.path != old.path
    assert {path.name for path in place.iterdir()} == {MANIFEST, new.copied.manifest.build}
    with pytest.raises(UserError, match="if it was built anew meanwhile, start again"):
        old.shards("train")


def test_leftovers_of_killed_builds_are_removed_and_those_of_running_ones_kept(place):
    prefix = f"build-{owner().rpartition('-')[0]}"
    killed, running = place / f"{prefix}-{2**22 + 1}-abc", place / f"{prefix}-{os.getppid()}-abc"
    for left in (killed, running):
        (left / "shard").write_text("half")
    with publishing(place) as staging:
        fill(staging)
    assert not killed.exists()
    assert running.exists()


@pytest.mark.parametrize("mark", ["building", "fingerprint.json"])
def test_what_a_dead_container_left_is_removed_when_it_is_old(place, mark, monkeypatch):
    (place / "build-gone.1-1-abc" / mark).write_text("")
    for days, is_left in ((7, True), (0, False)):
        monkeypatch.setattr(publication, "_LONGEST_BUILD", timedelta(days=days))
        with publishing(place) as staging:
            fill(staging)
        assert (place / "build-gone.1-1-abc" / mark).exists() == is_left


def test_a_missing_bucket_is_reported(bucket):
    elsewhere = StorePath("s3://no-such-bucket-of-mine/records")
    with pytest.raises(UserError, match="got no such bucket"), publishing(elsewhere):
        pass


def test_a_target_with_other_files_is_refused(bucket):
    (bucket / "records" / "thesis.tex").write_text("precious")
    expected = "got a directory with other things in it"
    with pytest.raises(UserError, match=expected), publishing(bucket / "records"):
        pass
    assert (bucket / "records" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize(
    "content", ["{}", "[]", "not JSON", '{"files": []}', '{"files": {"a": 1}, "build": "b"}']
)
def test_a_manifest_of_something_else_is_refused(content, bucket):
    (bucket / "app" / MANIFEST).write_text(content)
    expected = "got a directory with other things in it"
    with pytest.raises(UserError, match=expected), publishing(bucket / "app"):
        pass
    with pytest.raises(UserError, match=f"without whole records .{MANIFEST} does not name"):
        RecordsDirectory.open(bucket / "app")
    assert (bucket / "app" / MANIFEST).read_text() == content


def test_paths_are_absolute_for_workers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with publishing(Path("records")) as staging:
        assert staging.shared.parent.parent == tmp_path
        fill(staging)
    assert RecordsDirectory.open(Path("records")).fingerprint == "abc"


@pytest.mark.parametrize("kind", ["disk", "store"])
@pytest.mark.parametrize("fault", [RuntimeError("a worker found no such file"), None])
def test_a_target_that_is_removed_is_reported_and_the_old_records_stay(
    kind, fault, tmp_path, bucket
):
    path = (tmp_path if kind == "disk" else bucket) / "records"
    with publishing(path) as staging:
        fill(staging)

    def build():
        with publishing(path) as staging:
            fill(staging, "new")
            remove_tree(staging.shared)
            if fault:
                raise fault

    with pytest.raises(UserError, match=r"expected the unfinished records to exist .* build again"):
        build()
    assert RecordsDirectory.open(path).fingerprint == "abc"
    assert [left.name for left in path.parent.iterdir() if left.name != "cache"] == ["records"]


def test_old_records_stay_where_new_ones_cannot_be_moved(tmp_path, monkeypatch):
    with publishing(tmp_path / "records") as staging:
        fill(staging)
    rename = Path.rename

    def refuse(self, target):
        if target == tmp_path / "records" and not self.name.endswith("-replaced"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="Input/output"), publishing(tmp_path / "records") as staging:
        fill(staging, "new")
    assert RecordsDirectory.open(tmp_path / "records").fingerprint == "abc"
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_old_records_come_back_that_a_killed_build_was_replacing(tmp_path):
    with publishing(tmp_path / "records") as staging:
        fill(staging)
    left = tmp_path / "records.incomplete-0123abcd"
    left.mkdir()
    (left / ".lock").write_text("")
    (tmp_path / "records").rename(left / "records-replaced")
    with pytest.raises(RuntimeError, match="stop"), publishing(tmp_path / "records"):
        raise RuntimeError("stop")
    assert RecordsDirectory.open(tmp_path / "records").fingerprint == "abc"
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_a_full_disk_is_reported_while_reading(place, monkeypatch):
    def fill_disk(self, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    records = RecordsDirectory.open(place)
    monkeypatch.setattr(StorePath, "download", fill_disk)
    with pytest.raises(UserError, match=r"expected room for a copy of the records, got a full d"):
        records.fetch()


@pytest.mark.parametrize(
    "name",
    [
        *("../outside", "a/../../outside", "/tmp/outside", "source/../../outside"),
        *("./outside", "a//outside", "..", ".", "", "a\\..\\outside", "a\0b", MANIFEST),
    ],
)
def test_a_manifest_names_no_file_outside_of_its_data_set(place, name, tmp_path):
    content = json.loads((place / MANIFEST).read_bytes())
    files = content["files"]
    (tmp_path / "local").mkdir()
    for folder, build in ((place, content["build"]), (tmp_path / "local", ".")):
        hostile = {"build": build, "files": {**files, name: files["stats.json"]}}
        (folder / MANIFEST).write_text(json.dumps(hostile))
        with pytest.raises(DamagedRecords, match="not name the files of a data set: ") as fault:
            RecordsDirectory.open(folder)
        assert repr(name) in str(fault.value)


@pytest.mark.parametrize("build", ["..", "../other", "/tmp", "a/b", "", MANIFEST, 1, None])
def test_a_manifest_names_no_folder_but_one_beside_it(place, build):
    content = json.loads((place / MANIFEST).read_bytes())
    (place / MANIFEST).write_text(json.dumps({**content, "build": build}))
    (place.parent / "other" / "thesis.tex").write_text("precious")
    with pytest.raises(DamagedRecords, match="not name the files of a data set: "):
        RecordsDirectory.open(place)
    with publishing(place) as staging:
        fill(staging, "new")
    assert (place.parent / "other" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "flip"])
def test_a_damaged_manifest_of_a_store_is_replaced(place, damage):
    content = (place / MANIFEST).read_text().replace("num_bytes", "mum_bytes")
    (place / MANIFEST).write_text(content if damage == "flip" else damage)
    with pytest.raises(DamagedRecords, match="does not name the files of a data set"):
        RecordsDirectory.open(place)
    with publishing(place) as staging:
        fill(staging, "new")
    assert RecordsDirectory.open(place).fingerprint == "new"


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: b"?" + raw[1:]])
def test_a_damaged_copy_is_fetched_again(place, damage):
    first = RecordsDirectory.open(place)
    first.fetch()
    for name in first.inventory.files:
        (first.path / name).write_bytes(damage((first.path / name).read_bytes()))
    records = RecordsDirectory.open(place)
    records.check()
    assert Manifest.of(records.path).files == records.inventory.files


def test_files_of_a_store_are_compared_by_size_without_being_fetched(place):
    records = RecordsDirectory.open(place)
    records.check_origin()
    assert not list(records.path.glob("*tfrecord*"))
    (shard,) = (path for path in place.rglob("*.tfrecord-*"))
    content = shard.read_bytes()
    shard.write_bytes(content + b"more")
    with pytest.raises(DamagedRecords, match=f"got {len(content) + 4} bytes; if it was built anew"):
        records.check_origin()
    shard.unlink()
    with pytest.raises(DamagedRecords, match=r"got no such object; .* remove it and build it"):
        records.check_origin()


def test_a_file_that_is_lost_before_publication_is_reported(tmp_path):
    def build():
        with publishing(tmp_path / "records") as staging:
            fill(staging)
            next(staging.shared.glob("*.tfrecord-*")).unlink()

    with pytest.raises(DamagedRecords, match=r"text_class-train.* got No such file"):
        build()
    assert not list(tmp_path.iterdir())
