"""The one door to folders of raw data: which files in them are data."""

import hashlib
import os
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.storage.leftovers import INCOMPLETE
from rnnpipe.storage.paths import find_impossible, read_range, scan
from rnnpipe.storage.store_path import StorePath

# What systems and editors leave in folders; their names are compared in small letters.
_SYSTEM_NAMES = {
    *("__macosx", "icon\r", "network trash folder", "temporary items"),
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "system volume information"),
    *("$recycle.bin", "recycler", "recycled", "#recycle", "@recycle", "@eadir", "#snapshot"),
    *("lost+found", "lost.dir", "__pycache__"),
}
_SYSTEM_STARTS = (".", "~$")
_DOCUMENTATION = re.compile(r"(readme|licen[cs]e|copying|changelog)(\..*)?", re.IGNORECASE)
_END_BYTES = 1 << 20


class Listing(NamedTuple):
    """What lies in a folder, by name and in order.

    Args:
        files: regular files, and links that lead nowhere: reading those fails, and says why.
        folders: folders, and links to them.
        misnamed: files whose names are not UTF-8, which no record can store.
        left_out: hidden and system files, pipes and devices, folders whose names are not UTF-8.
            What an unfinished build or download of ours left there is in none of the lists.
    """

    files: list[str]
    folders: list[str]
    misnamed: list[str]
    left_out: list[str]


def list_raw(folder: Path) -> Listing:
    """What lies in a folder of raw data; a folder that is missing, or a file, holds nothing.

    Raises:
        UserError: the folder may not be listed.
    """
    listing = Listing([], [], [], [])
    for name, kind in _scan(folder):
        if INCOMPLETE in name:
            continue
        if _is_system(name) or kind == "other":
            listing.left_out.append(name)
        elif not is_utf8(name):
            (listing.misnamed if kind == "file" else listing.left_out).append(name)
        else:
            (listing.files if kind == "file" else listing.folders).append(name)
    for names in listing:
        names.sort()
    return listing


def _scan(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        yield from scan(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as fault:
        got, fix = fault.strerror or str(fault), "ask for the right to read it"
        raise UserError(str(folder), "a folder that can be listed", got, fix) from fault


def _is_system(name: str) -> bool:
    return name.startswith(_SYSTEM_STARTS) or name.lower() in _SYSTEM_NAMES


def is_documentation(name: str) -> bool:
    """Whether a file documents a data set, by its name.

    Example:
        >>> [is_documentation(name) for name in ("README.txt", "LICENSE", "reader.txt")]
        [True, True, False]
    """
    return bool(_DOCUMENTATION.fullmatch(name))


def is_utf8(name: str) -> bool:
    """Whether a text has no halves of characters, as names of files may have."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_name(name: str) -> None:
    """Checks that there can be a file of a name, and that records can store it.

    Raises:
        BadRecord: it is not UTF-8, has a zero byte or is too long (step `read name`).
    """
    if not is_utf8(name):
        raise BadRecord("read name", "it is not UTF-8; rename the file")
    if what := find_impossible(name):
        raise BadRecord("read name", f"no file has a name with {what}")


def is_inside(name: str) -> bool:
    """Whether a name that a table has of a file leads to no other folder than the table's own.

    Example:
        >>> [is_inside(name) for name in ("a/1.jpg", "../1.jpg", "a/../../1.jpg", "/tmp/1.jpg")]
        [True, False, False, False]
    """
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts


def printable(name: str) -> str:
    r"""A file's name as messages and dead letters have it: bytes that are not UTF-8 are escaped.

    Example:
        >>> printable(os.fsdecode(b"caf\xe9.txt"))
        'caf\\xe9.txt'
    """
    return os.fsencode(name).decode(errors="backslashreplace")


def walk_raw(folder: Path) -> Iterator[tuple[Path, Listing]]:
    """A folder and all folders in it, with what lies in each, see `list_raw`.

    Links to folders are followed after all else; a folder that several links lead to comes once.
    """
    folders, links, seen = deque([folder]), deque[Path](), set[Any]()
    while folders or links:
        root = folders.popleft() if folders else links.popleft()
        if (identity := _identity(root)) in seen:
            continue
        seen.add(identity)
        listing = list_raw(root)
        yield root, listing
        for name in listing.folders:
            path = root / name
            is_link = not isinstance(path, StorePath) and path.is_symlink()
            (links if is_link else folders).append(path)


def _identity(folder: Path) -> Any:
    """What is the same for a folder and the links to it."""
    if isinstance(folder, StorePath):
        return folder
    try:
        status = folder.stat()
    except OSError:
        return folder
    return status.st_dev, status.st_ino


def skipped_notices(files: Iterable[Path]) -> list[str]:
    """Notices of what lies beside the files of raw data and is no data, a sentence each.

    Args:
        files: those that records are made from; their folders are listed, and those above them up
            to the one that they have in common.
    """
    folders = {path.parent for path in files}
    local = {folder for folder in folders if not isinstance(folder, StorePath)}
    if local:
        root = Path(os.path.commonpath(local))
        folders |= {above for folder in local for above in folder.parents if root in above.parents}
        folders.add(root)
    hidden, misnamed = list[str](), list[str]()
    for folder in sorted(folders):
        listing = list_raw(folder)
        hidden += listing.left_out
        misnamed += listing.misnamed
    notices = []
    whats = ("hidden and system files", "files whose names are not UTF-8")
    for names, what in zip((hidden, misnamed), whats, strict=True):
        if names:
            number, example = len(names), printable(names[0])
            notices.append(f"data.source: {what} are not read: {number:,}, such as {example}")
    return notices


def hash_content(data: bytes) -> str:
    """A hash of what a file holds: files of equal hashes are copies."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def hash_ends(path: Path) -> str:
    """A hash of a large file's size, its beginning and its end.

    Raises:
        BadRecord: it cannot be read (step `read file`).
    """
    try:
        size = path.stat().st_size
        ends = [(0, min(size, _END_BYTES)), (max(size - _END_BYTES, 0), size)]
        return hash_content(b"".join([b"%d " % size, *(read_range(path, *end) for end in ends)]))
    except OSError as fault:
        raise BadRecord("read file", fault.strerror or type(fault).__name__) from fault


def fold_name(name: str) -> str:
    """A name in the form in which names are compared: accents are part of their letters."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)
