import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnnpipe.storage.atomic import atomic_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_when_the_block_ends(tmp_path, durable):
    path = tmp_path / "model.keras"
    path.write_text("old")
    with atomic_path(path, durable=durable) as unfinished:
        unfinished.write_text("new")
        assert unfinished.name == "model.keras"
        assert path.read_text() == "old"
        assert not [other for other in tmp_path.glob("*.keras") if other != path]
    assert path.read_text() == "new"
    assert names(tmp_path) == ["model.keras"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_folder_appears_with_all_of_its_files(tmp_path, durable):
    with atomic_path(tmp_path / "raw", durable=durable) as unfinished:
        (unfinished / "images").mkdir(parents=True)
        (unfinished / "images" / "1.png").write_bytes(b"1")
        assert not (tmp_path / "raw").exists()
    assert (tmp_path / "raw" / "images" / "1.png").read_bytes() == b"1"
    assert names(tmp_path) == ["raw"]


def test_a_block_that_raises_keeps_the_old_content(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")

    def fail():
        with atomic_path(path) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["scores.json"]


def test_a_folder_with_files_is_not_replaced(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine").write_text("")

    def replace():
        with atomic_path(tmp_path / "raw") as unfinished:
            unfinished.mkdir()

    with pytest.raises(OSError, match="not empty"):
        replace()
    assert names(tmp_path / "raw") == ["mine"]
    assert names(tmp_path) == ["raw"]


def test_a_missing_folder_is_not_created(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "gone" / "file"):
        pass
    assert names(tmp_path) == []


def test_the_unfinished_path_lies_in_the_partial_folder(tmp_path):
    (tmp_path / "partial").mkdir()
    with atomic_path(tmp_path / "file", partial_folder=tmp_path / "partial") as unfinished:
        unfinished.write_text("")
        assert unfinished.parent.parent == tmp_path / "partial"
        assert names(tmp_path) == ["partial"]
    assert names(tmp_path) == ["file", "partial"]
    assert names(tmp_path / "partial") == []


def test_content_is_flushed_before_the_rename_and_the_rename_after_it(tmp_path, monkeypatch):
    flushed, fsync = [], os.fsync

    def record(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        flushed.append((os.path.basename(path), (tmp_path / "file").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    with atomic_path(tmp_path / "file", durable=True) as unfinished:
        unfinished.write_text("content")
    assert flushed == [("file", False), (tmp_path.name, True)]


KILLED = (
    "import os, sys; from pathlib import Path\n"
    "from rnnpipe.storage.atomic import atomic_path\n"
    "with atomic_path(Path(sys.argv[1])) as unfinished:\n"
    "    unfinished.write_text('half'); os._exit(9)"
)


def kill_a_writer(path):
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert done.returncode == 9


@pytest.mark.parametrize("following", ["file", "another file"])
def test_leftovers_of_a_killed_process_are_removed_by_the_next(tmp_path, following):
    kill_a_writer(tmp_path / "file")
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("file.incomplete-")
    with atomic_path(tmp_path / following) as unfinished:
        unfinished.write_text("whole")
    assert names(tmp_path) == [following]


def test_files_of_other_writers_are_kept(tmp_path):
    mine = tmp_path / "notes.incomplete-today"
    mine.mkdir()
    with atomic_path(tmp_path / "file") as outer, atomic_path(tmp_path / "file 2") as inner:
        outer.write_text("")
        inner.write_text("")
    assert names(tmp_path) == ["file", "file 2", mine.name]


def test_threads_do_not_interfere(tmp_path):
    def write(number):
        with atomic_path(tmp_path / str(number)) as unfinished:
            unfinished.write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    assert names(tmp_path) == sorted(map(str, range(200)))
