"""Functions of paths, be they of a file system or of an object store."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from rnnpipe.errors import UserError
from rnnpipe.storage import store_path
from rnnpipe.storage.store_path import Kind, StorePath

_MAX_NAME, _MAX_PATH = 255, 4000  # bytes, on Linux and macOS
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def as_path(path: str | Path) -> Path:
    """The path that a text names: of an object store where it has a scheme, else of a file.

    Example:
        >>> as_path("s3://bucket/raw"), as_path("data/raw")
        (StorePath('s3://bucket/raw'), PosixPath('data/raw'))
    """
    return StorePath(path) if has_scheme(str(path)) else Path(path)


def has_scheme(path: str) -> bool:
    """Whether a path names an object store, or something else that is no file of this machine.

    Example:
        >>> has_scheme("s3://bucket/raw"), has_scheme("://raw"), has_scheme("notes/a://b")
        (True, False, False)
    """
    return _SCHEME.match(path) is not None


def find_impossible(path: str) -> str | None:
    """What a path has that no file can have, so that looking for it is an error; else None.

    Example:
        >>> find_impossible("a" * 300), find_impossible("raw/train.csv")
        ('300 bytes between two slashes', None)
    """
    if "\0" in path:
        return "a zero byte"
    try:
        longest = max(len(os.fsencode(name)) for name in path.split("/"))
    except UnicodeEncodeError:
        return "halves of characters"
    if longest > _MAX_NAME:
        return f"{longest:,} bytes between two slashes"
    return "thousands of bytes" if len(path) > _MAX_PATH else None


def check_file_name(name: str) -> str:
    """The name of a file in a folder, as a file of ours lists it: a plain path from the folder.

    Raises:
        ValueError: it leads out of the folder, or is spelled in another way than our own.

    Example:
        >>> check_file_name("source/tokenizer.model")
        'source/tokenizer.model'
        >>> check_file_name("../secret")
        Traceback (most recent call last):
            ...
        ValueError: '../secret' is no file in its folder
    """
    path = PurePosixPath(name)
    unusual = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if unusual or str(path) != name or name == ".":
        raise ValueError(f"{name!r:.100} is no file in its folder")
    name.encode()  # halves of characters, which JSON can spell, are the name of no file
    return name


def local_path(option: str, path: str) -> Path:
    """The path of this machine that a text names; `~` is the home folder.

    Args:
        option: which argument it is, for the message.
        path: the text.

    Raises:
        UserError: it names an object store, or the home of nobody here.
    """
    where, expected = f"{option} {path}", "a path of this machine"
    if path.startswith("file://"):
        raise UserError(where, expected, "a URL", f"write {path.removeprefix('file://')}")
    if has_scheme(path):
        fix = "name a path here, and copy to or from the store"
        raise UserError(where, expected, "an object store", fix)
    try:
        return Path(path).expanduser()
    except RuntimeError as fault:  # of a user without a home
        raise UserError(where, expected, str(fault), "write the whole path") from fault


def scan(folder: Path) -> Iterator[tuple[str, Kind]]:
    """What lies in a folder of either kind, in any order: names, and what they are.

    A link is what it leads to, and a `file` if it leads nowhere: reading it fails, and says why.

    Raises:
        OSError: the folder is missing, or may not be listed.
    """
    if isinstance(folder, StorePath):
        yield from folder.scan()
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name, _kind_of(entry)


def _kind_of(entry: "os.DirEntry[str]") -> Kind:
    try:
        if entry.is_file():
            return "file"
        if entry.is_dir():
            return "folder"
        entry.stat()
    except OSError:
        return "file"
    return "other"  # a pipe, a socket or a device


def check_new_folder(path: Path, where: str) -> None:
    """Refuses, before any long work, a place where no new folder can be written.

    Args:
        path: of the folder.
        where: what names it, for the message.

    Raises:
        UserError: it is a file, or a folder with something in it.
    """
    if path.is_dir():
        if any(path.iterdir()):
            fix = "name another one, or remove it"
            raise UserError(where, "a new or empty folder", "one with files", fix)
    elif path.exists():
        raise UserError(where, "a new or empty folder", "a file", "name a folder")


def remove_tree(folder: Path) -> None:
    """Removes a folder and all that is in it."""
    if isinstance(folder, StorePath):
        folder.remove_tree()
    else:
        shutil.rmtree(folder)


@contextmanager
def local_copy(folder: Path) -> Iterator[Path]:
    """Yields a folder of this machine: itself, or a temporary copy of one in an object store.

    Raises:
        UserError: the store refuses.
    """
    if not isinstance(folder, StorePath):
        yield folder
        return
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        for name in folder.list_sizes():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).download(copy / name)
        yield copy


def read_range(path: Path, start: int, stop: int) -> bytes:
    """The bytes of a file between two places; fewer where it ends before.

    Of a store whole blocks are read and some of them kept: who reads on finds the next bytes there.
    """
    if isinstance(path, StorePath):
        first, last = start // store_path.BLOCK, -(-stop // store_path.BLOCK)
        blocks = b"".join(_read_block(path, number) for number in range(first, last))
        return blocks[start - first * store_path.BLOCK : stop - first * store_path.BLOCK]
    with path.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


@lru_cache(maxsize=4)
def _read_block(path: StorePath, number: int) -> bytes:
    return path.read_range(number * store_path.BLOCK, (number + 1) * store_path.BLOCK)


@lru_cache(maxsize=16)
def hash_file(path: Path, where: str, fix: str) -> str:
    """The SHA-256 of a file; it is read once in a process.

    Args:
        path: the file.
        where: the setting that names it, for the message.
        fix: what to do where it cannot be read.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        got = fault.strerror or str(fault)
        raise UserError(where, f"a file {path}", got, fix) from fault
