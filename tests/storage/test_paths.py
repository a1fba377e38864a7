import errno
import os
import pickle
import uuid
from pathlib import Path

import fsspec
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.storage import paths, store_path
from rnnpipe.storage.paths import (
    as_path,
    check_file_name,
    find_impossible,
    has_scheme,
    local_path,
    read_range,
    remove_tree,
    scan,
)
from rnnpipe.storage.store_path import StorePath


@pytest.fixture(params=["disk", "store"])
def folder(request, tmp_path):
    """A folder of each kind, with the same files in it."""
    name = f"memory://{uuid.uuid4().hex}"
    folder = as_path(tmp_path / "raw" if request.param == "disk" else name)
    for name in ("a", "a/b"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "a" / "b" / "deep.txt").write_text("hä\r\nb", encoding="utf-8", newline="")
    (folder / "a" / "empty").write_bytes(b"")
    (folder / "digits.bin").write_bytes(b"0123456789")
    return folder


def test_a_store_is_read_like_a_disk(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["a", "digits.bin"]
    assert (folder / "a").is_dir()
    assert not (folder / "a").is_file()
    assert (folder / "digits.bin").is_file()
    assert (folder / "digits.bin").stat().st_size == 10
    assert not (folder / "none").exists()
    assert (folder / "a" / "empty").read_bytes() == b""
    deep = folder / "a" / "b" / "deep.txt"
    assert deep.read_text(encoding="utf-8") == "hä\nb"
    with deep.open(encoding="utf-8") as file:
        assert list(file) == ["hä\n", "b"]
    with (folder / "digits.bin").open("rb") as file:
        file.seek(3)
        assert file.readline(2) == b"34"
    assert list(folder.rglob("*.txt")) == [deep]
    assert deep.relative_to(folder).as_posix() == "a/b/deep.txt"


def test_scans_of_disk_and_store_are_equal(folder):
    assert sorted(scan(folder)) == [("a", "folder"), ("digits.bin", "file")]
    assert sorted(scan(folder / "a")) == [("b", "folder"), ("empty", "file")]


def test_scans_distinguish_links_pipes_and_broken_links(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    targets = {"f": "file", "d": "folder", "p": "pipe", "n": "none"}
    for name, target in targets.items():
        (tmp_path / f"to_{name}").symlink_to(tmp_path / target)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert sorted(scan(tmp_path)) == [
        ("file", "file"),
        ("folder", "folder"),
        ("loop", "file"),
        ("pipe", "other"),
        ("to_d", "folder"),
        ("to_f", "file"),
        ("to_n", "file"),
        ("to_p", "other"),
    ]


def test_a_missing_file_is_reported_with_its_path(folder):
    with pytest.raises(FileNotFoundError) as fault:
        (folder / "none").read_bytes()
    assert fault.value.strerror == "No such file or directory"
    assert fault.value.filename == str(folder / "none")


@pytest.mark.parametrize("block", [3, 1 << 20])
def test_ranges_are_read_whatever_the_blocks(folder, block, monkeypatch):
    monkeypatch.setattr(store_path, "BLOCK", block)
    paths._read_block.cache_clear()
    digits = folder / "digits.bin"
    assert [read_range(digits, *ends) for ends in ((0, 2), (2, 7), (8, 20), (4, 4))] == [
        b"01",
        b"23456",
        b"89",
        b"",
    ]
    paths._read_block.cache_clear()


def test_files_are_renamed_and_removed(folder):
    (folder / "digits.bin").replace(folder / "moved")
    assert (folder / "moved").read_bytes() == b"0123456789"
    assert not (folder / "digits.bin").exists()
    (folder / "moved").unlink()
    (folder / "moved").unlink(missing_ok=True)
    remove_tree(folder)
    assert not folder.exists()


def test_a_path_of_a_store_keeps_its_type_and_scheme():
    path = as_path("s3://bucket/raw/train.de.gz")
    assert str(path) == "s3://bucket/raw/train.de.gz"
    assert str(path.with_name("x").parent / "y") == "s3://bucket/raw/y"
    assert pickle.loads(pickle.dumps(path)) == path
    assert type(pickle.loads(pickle.dumps(path))) is type(path.parent) is StorePath
    assert path.expanduser().absolute() == path
    assert as_path(str(path)) == as_path(path) == path


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_errors_of_a_local_disk_are_not_attributed_to_the_store(number, tmp_path, monkeypatch):
    def refuse(self, key, path):
        raise OSError(number, os.strerror(number), None if number == errno.ENOSPC else path)

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "get_file", refuse)
    with pytest.raises(OSError, match=os.strerror(number)):
        StorePath("memory://raw/a").download(tmp_path / "a")


def test_a_store_error_names_the_store(tmp_path, monkeypatch):
    def refuse(self, key, path):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "get_file", refuse)
    with pytest.raises(UserError, match="memory://raw/a: expected an object store that gives acc"):
        StorePath("memory://raw/a").download(tmp_path / "a")


def test_a_local_path_may_begin_at_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_path("--runs-dir", "~/runs") == tmp_path / "runs"
    assert local_path("--runs-dir", "a~/b") == Path("a~/b")


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("~nobody-has-this-name/runs", "home directory"),
        ("file:///data/runs", "got a URL; write /data/runs"),
        ("s3://bucket/runs", "got an object store"),
    ],
)
def test_a_local_path_is_of_this_machine(path, got):
    with pytest.raises(UserError, match=f"--runs-dir {path}: expected a path .*{got}"):
        local_path("--runs-dir", path)


@pytest.mark.parametrize(
    "text", ["://a", "a/b://c", "/tmp/a://b", "1://a", "simplecache::s3://a", "a b://c", "", "."]
)
def test_a_path_without_a_scheme_is_one_of_this_machine(text):
    assert type(as_path(text)) is type(Path())
    assert not has_scheme(text)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/../b", "/a", "a//b", "./a", "a/", "a\\b", "a\0b", "\ud800", "a/."],
)
def test_what_leads_elsewhere_is_the_name_of_no_file(name):
    with pytest.raises(ValueError, match=r"no file in its folder|surrogates not allowed"):
        check_file_name(name)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("a" * 255, None),
        ("é" * 128, "256 bytes between two slashes"),
        ("a/" * 2001, "thousands of bytes"),
        ("a\0", "a zero byte"),
        ("\ud800", "halves of characters"),
        ("caf\udce9", None),
    ],
)
def test_what_no_path_can_have(path, what):
    assert find_impossible(path) == what
    if what is not None and path.isascii():
        with pytest.raises(UserError, match=f"expected a path, got .* with {what}; correct it"):
            load_settings(CaptionFiles, {"annotations": path, "images": "a"})
