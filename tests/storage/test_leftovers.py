"""What killed processes leave, wherever they ran: a lock that nobody has is the only sign."""

import errno
import fcntl
import os
import shutil
import threading
from pathlib import Path

import pytest

from rnnpipe.storage import leftovers
from rnnpipe.storage.leftovers import remove_leftovers, replace_folder, unfinished_folder
from rnnpipe.storage.lock import locking
from rnnpipe.storage.owner import is_dead, owner

DEAD = 2**22 + 1  # no process has this number


def leave(folder, name="file", text=None):
    """What a killed process leaves of a file."""
    path = folder / f"{name}.incomplete-0123abcd"
    (path / "sub").mkdir(parents=True)
    (path / "sub" / "half").write_text("half")
    (path / ".lock").write_text(owner() if text is None else text)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def of_pid(pid):
    return f"{owner().rpartition('-')[0]}-{pid}"


@pytest.mark.parametrize(
    "text",
    [of_pid(os.getpid()), of_pid(1), of_pid(DEAD), "another.host-1", "", "\0"],
    ids=["this process", "the first one", "a dead one", "another host", "nothing", "no text"],
)
def test_what_no_process_locks_is_removed_whoever_wrote_it(tmp_path, text):
    """In containers the process with that number may be any other one, and the host has gone."""
    leave(tmp_path, text=text)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_what_is_locked_is_kept_whoever_seems_to_have_written_it(tmp_path):
    with unfinished_folder(tmp_path, "file") as path:
        (path / ".lock").write_text(of_pid(DEAD))
        remove_leftovers(tmp_path)
        with unfinished_folder(tmp_path, "file"):  # in the same process
            assert len(names(tmp_path)) == 2
        assert path.is_dir()
    assert names(tmp_path) == []


def test_a_child_that_lives_on_keeps_what_it_writes(tmp_path):
    """A worker that was forked has the lock too, until it ends."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with unfinished_folder(tmp_path, "file"):
            if os.fork():
                os._exit(9)
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    os.waitpid(child, 0)
    remove_leftovers(tmp_path)
    assert len(names(tmp_path)) == 1
    os.close(write)
    for _ in range(1000):
        remove_leftovers(tmp_path)
        if not names(tmp_path):
            break
        threading.Event().wait(0.01)
    assert names(tmp_path) == []
    os.close(read)


def test_files_of_others_are_kept(tmp_path):
    kept = ["notes.incomplete-today", "thesis.incomplete-0123abcd", "x.incomplete-0123ABCD", "a"]
    for name in kept:
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").write_text("")
    (tmp_path / "b.incomplete-0123abcd").write_text("")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([*kept, "b.incomplete-0123abcd"])


def test_a_folder_without_a_lock_is_removed_if_it_is_empty(tmp_path):
    (tmp_path / "file.incomplete-0123abcd").mkdir()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("moment", ["before its lock is written", "before it is locked"])
def test_a_folder_that_is_taken_for_a_leftover_as_it_begins_is_made_again(
    tmp_path, monkeypatch, moment
):
    taken, plain = [], owner if "written" in moment else locking

    def clean(*arguments, **options):
        if not taken:
            taken.extend(names(tmp_path))
            shutil.rmtree(tmp_path / taken[0])
        return plain(*arguments, **options)

    monkeypatch.setattr(leftovers, plain.__name__, clean)
    with unfinished_folder(tmp_path, "file") as path:
        assert names(tmp_path) == [path.name] != taken
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "is_removed"),
    [(of_pid(DEAD), True), (of_pid(os.getppid()), False), (f"other-{DEAD}", False)],
    ids=["a dead process", "a living one", "another host"],
)
def test_without_locks_only_a_process_that_is_known_to_be_dead_counts(
    tmp_path, monkeypatch, text, is_removed
):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = leave(tmp_path, text=text)
    with unfinished_folder(tmp_path, "file") as path:
        assert path.is_dir()
    assert names(tmp_path) == ([] if is_removed else [left.name])


def test_a_replaced_folder_comes_back_after_a_kill_between_two_renames(tmp_path):
    left = leave(tmp_path, "data")
    (left / "data").mkdir()
    (left / "data-replaced").mkdir()
    (left / "data-replaced" / "precious").write_text("")
    with unfinished_folder(tmp_path, "anything"):
        pass
    assert names(tmp_path) == ["data"]
    assert names(tmp_path / "data") == ["precious"]


def test_a_folder_replaces_another_one(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").write_text("")
    with unfinished_folder(tmp_path, "data") as path:
        (path / "data").mkdir()
        replace_folder(path / "data", tmp_path / "data")
    assert names(tmp_path) == ["data"]
    assert names(tmp_path / "data") == []


@pytest.mark.parametrize("call", ["iterdir", "unlink", "rmdir"])
def test_a_signal_while_a_folder_is_removed_leaves_none_of_it(tmp_path, monkeypatch, call):
    whole, count = getattr(Path, call), 0

    def interrupt(self, *arguments, **options):
        nonlocal count
        count += 1
        if count == 1:
            raise KeyboardInterrupt
        return whole(self, *arguments, **options)

    def write():
        with unfinished_folder(tmp_path, "a") as folder:
            (folder / "inside").mkdir()
            (folder / "file").touch()
            monkeypatch.setattr(Path, call, interrupt)

    with pytest.raises(KeyboardInterrupt):
        write()
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_folder(tmp_path, monkeypatch):
    def fill():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(leftovers, "owner", fill)
    with pytest.raises(OSError, match="No space"), unfinished_folder(tmp_path, "file"):
        pass
    assert names(tmp_path) == []


def test_owners_of_this_place_are_looked_up():
    assert [is_dead(of_pid(pid)) for pid in (os.getpid(), os.getppid(), DEAD, 2**70)] == [
        *(False, False),
        *(True, True),
    ]
    assert not any(map(is_dead, ("", "-", f"elsewhere-{DEAD}", f"{owner()}x")))
