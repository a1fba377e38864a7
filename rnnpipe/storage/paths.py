"""Functions of paths, be they of a file system or of an object store."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.errors import UserError
from rnnpipe.storage import store_path
from rnnpipe.storage.store_path import Kind, StorePath


def as_path(path: str | Path) -> Path:
    """The path that a text names: of an object store where it has a scheme, else of a file.

    Example:
        >>> as_path("s3://bucket/raw"), as_path("data/raw")
        (StorePath('s3://bucket/raw'), PosixPath('data/raw'))
    """
    return StorePath(path) if "://" in str(path) else Path(path)


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
    if "://" in path:
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
