"""Sealed files: whatever is cut, changed or lost is noticed, and no kill breaks a seal."""

import json
import os
import shutil
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.seal import SEAL, Seal, copy_sealed, is_expected, remove_sealed, sealed_path


@pytest.fixture
def seal(tmp_path):
    seal = Seal(tmp_path / "run")
    seal.folder.mkdir()
    seal.begin()
    seal.write_text(seal.folder / "scores.json", '{"accuracy": 0.5}')
    with seal.write(seal.folder / "vocabulary") as folder:
        (folder / "inner").mkdir(parents=True)
        (folder / "labels.json").write_text("[]")
        (folder / "inner" / "tokens.json").write_text("{}")
    return seal


def test_what_was_written_is_read(seal):
    scores, vocabulary = seal.folder / "scores.json", seal.folder / "vocabulary"
    assert seal.read_json(scores) == {"accuracy": 0.5}
    assert seal.check(vocabulary) == vocabulary
    assert seal.find("labels.json") == [vocabulary / "labels.json"]
    assert seal.expects(scores)
    assert seal.expects(vocabulary)
    assert not seal.expects(seal.folder / "other.json")
    seal.write_text(scores, "{}")
    assert seal.read_json(scores) == {}
    moved = Seal(seal.folder.rename(seal.folder.with_name("moved")))
    assert moved.read_json(moved.folder / "scores.json") == {}


def replace(path, make):
    path.unlink()
    make(path)


DAMAGE = {
    "cut": (lambda path: os.truncate(path, 9), "got 9 of its 17 bytes"),
    "emptied": (lambda path: path.write_text(""), "got 0 of its 17 bytes"),
    "flipped": (lambda path: path.write_text('{"accuracy": 0.7}'), "got another one, or one that"),
    "longer": (lambda path: path.write_text('{"accuracy": 0.55}'), "got another one, or one that"),
    "lost": (lambda path: path.unlink(), "got none"),
    "a folder": (lambda path: replace(path, Path.mkdir), "got something else"),
    "a pipe": (lambda path: replace(path, os.mkfifo), "got something else"),
}


@pytest.mark.parametrize(("damage", "got"), DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("read", [Seal.read_json, Seal.check], ids=["read", "check"])
def test_a_damaged_file_is_reported(damage, got, read, seal):
    path = seal.folder / "scores.json"
    damage(path)
    with pytest.raises(UserError) as fault:
        read(seal, path)
    assert str(fault.value).startswith(f"{path}: expected the file that was written there, {got}")
    assert not seal.holds(path)
    assert seal.expects(path)


@pytest.mark.parametrize("name", ["labels.json", "inner/tokens.json"])
def test_a_folder_is_damaged_with_any_of_its_files(name, seal):
    path = seal.folder / "vocabulary" / name
    path.write_text("[1]")
    with pytest.raises(UserError, match=f"{path}: expected"):
        seal.check(seal.folder / "vocabulary")


def test_a_file_that_was_not_written_so_is_refused(seal):
    path = seal.folder / "other.json"
    for got in ("none", "one that was not"):
        with pytest.raises(UserError, match=f"expected a file that is in {SEAL}, got {got};"):
            seal.check(path)
        path.write_text("{}")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"files": {}, "sha256": "0"}', "[" * 100_000, '"\\ud800"'],
)
def test_a_damaged_seal_is_reported_as_such(text, seal):
    seal.path.write_text(text)
    for use in (seal.check, seal.expects):
        with pytest.raises(UserError, match=f"{seal.path}: expected the checksums of the files"):
            use(seal.folder / "scores.json")


def test_each_flipped_byte_of_a_seal_is_noticed(seal):
    whole = seal.path.read_bytes()
    for place in range(0, len(whole), 7):
        seal.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if whole[place : place + 1].isspace():
            continue
        with pytest.raises(UserError, match=f"{seal.path}: expected the checksums of the files"):
            seal.check(seal.folder / "scores.json")


def test_a_lost_seal_is_reported(seal):
    seal.path.unlink()
    with pytest.raises(UserError, match=f"{seal.path}: expected the checksums .* got none"):
        seal.read_json(seal.folder / "scores.json")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("name", ["scores.json", "new.json"])
@pytest.mark.parametrize("step", range(4))
def test_a_kill_at_any_step_leaves_a_sealed_file(name, step, seal, monkeypatch):
    """Each write renames three times: the seal, the file, the seal."""
    path, before = seal.folder / name, (seal.folder / name).exists()
    renames, rename = [], os.replace

    def killed(source, target):
        renames.append(target)
        if len(renames) > step:
            raise Killed
        rename(source, target)

    monkeypatch.setattr(type(path), "replace", killed)
    if step < 3:
        with pytest.raises(Killed):
            seal.write_text(path, '{"accuracy": 1.0}')
    else:
        seal.write_text(path, '{"accuracy": 1.0}')
    monkeypatch.undo()
    assert seal.expects(path) == (before or step >= 2)
    if seal.expects(path):
        assert seal.read_json(path) == {"accuracy": 1.0 if step >= 2 else 0.5}
    seal.write_text(path, "{}")
    assert seal.read_json(path) == {}
    assert len(json.loads(seal.path.read_text())["files"][name]) == 1


def test_a_copy_is_checked_while_the_file_is_replaced(seal, tmp_path, monkeypatch):
    path, copies, copyfile = seal.folder / "scores.json", [], shutil.copyfile

    def replaced_afterwards(source, target):
        copies.append(source)
        copied = copyfile(source, target)
        if len(copies) < 3:
            seal.write_text(path, f'{{"accuracy": 0.{len(copies)}}}')
        return copied

    monkeypatch.setattr("rnnpipe.storage.seal.shutil.copyfile", replaced_afterwards)
    seal.copy(path, tmp_path / "copy.json")
    assert (tmp_path / "copy.json").read_text() == '{"accuracy": 0.2}'


def test_files_of_a_training_are_sealed_where_their_folder_is(seal, tmp_path):
    for folder in (seal.folder / "checkpoints" / "members" / "2", tmp_path / "unsealed"):
        path = folder / "best.weights.h5"
        folder.mkdir(parents=True)
        assert not is_expected(path)
        with sealed_path(path) as unfinished:
            unfinished.write_text("weights")
        assert is_expected(path)
        copy_sealed(path, tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == "weights"
        path.unlink()
        assert is_expected(path) == (folder != tmp_path / "unsealed")
        remove_sealed(path)
        assert not is_expected(path)
