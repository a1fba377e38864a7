"""The one door to folders of raw data: which files are data, and which images have which name."""

import hashlib
import os
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.ids import read_id
from rnnpipe.storage.leftovers import INCOMPLETE
from rnnpipe.storage.paths import StorePath, read_range, scan

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jpc", ".jpf", ".j2c"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".pcx", ".sgi", ".qoi", ".dds", ".ico"),
)
"""How the names of raster images end, in small letters."""

# What systems and editors leave in folders; their names are compared in small letters.
_SYSTEM_NAMES = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
_SYSTEM_STARTS = (".", "~$")
_NUMBERED = re.compile(rf"(\d+)(?:{'|'.join(map(re.escape, IMAGE_ENDINGS))})$", re.IGNORECASE)
_STEP = "find image"
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
        elif not _is_utf8(name):
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


def _is_utf8(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_name(name: str) -> None:
    """Checks that records can store the name of a file.

    Raises:
        BadRecord: it is not UTF-8 (step `read name`).
    """
    if not _is_utf8(name):
        raise BadRecord("read name", "it is not UTF-8; rename the file")


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
    for names, what in ((hidden, "hidden or system"), (misnamed, "not named in UTF-8")):
        if names:
            example = printable(names[0])
            notices.append(f"data.source: {len(names):,} {what}, such as {example}, not read")
    return notices


class FileIndex:
    """The files of a folder by their names, or by their paths relative to it.

    Each folder is listed once, when it is needed, and no file is opened. Names are equal if they
    are the same text: whether letters and their accents are one code point or two, as on macOS,
    does not count.

    Args:
        folder: a folder; one that is missing holds nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, dict[str, list[str]]] = {}

    def find_name(self, name: object) -> Path:
        """The file of a name, which may be a path relative to the folder.

        Raises:
            BadRecord: there is no such file in the folder (step `find image`).
        """
        if not isinstance(name, str) or not name:
            raise BadRecord(_STEP, f"not the name of a file: {name!r:.100}")
        inside, spelled = "", name
        if "/" in name or "\\" in name:
            path = PurePosixPath(name if self._is_there(name) else name.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts:
                raise BadRecord(_STEP, f"{name} is not inside the folder")
            inside, spelled = path.parent.as_posix().removeprefix("."), path.name
        same = self._names_in(inside).get(_fold(spelled), [])
        if not same:
            raise BadRecord(_STEP, "its file is not there")
        if len(same) > 1 and spelled not in same:
            raise BadRecord(_STEP, f"{len(same)} files are called {name} in Unicode")
        return self.folder / inside / (spelled if spelled in same else same[0])

    def _is_there(self, name: str) -> bool:
        return "/" not in name and _fold(name) in self._names_in("")

    def has_name(self, name: object) -> bool:
        """Whether there is such a file, see `find_name`."""
        try:
            return bool(self.find_name(name))
        except BadRecord:
            return False

    def _names_in(self, inside: str) -> dict[str, list[str]]:
        """The files of a folder in the folder, by the form in which names are compared."""
        if inside not in self._names:
            names: dict[str, list[str]] = {}
            for name in list_raw(self.folder / inside).files:
                names.setdefault(_fold(name), []).append(name)
            self._names[inside] = names
        return self._names[inside]


class ImageIndex(FileIndex):
    """The images of a folder, by the number that their names end in or by their names.

    `COCO_train2014_000000000009.jpg`, `000000000009.webp` and `9.png` are all image 9.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     (Path(folder) / "street_0009.webp").touch()
        ...     index = ImageIndex(Path(folder))
        ...     index.find_number(9).name, index.find_name("street_0009.webp").name
        ('street_0009.webp', 'street_0009.webp')
    """

    @cached_property
    def images(self) -> list[str]:
        """The names of the images that lie in the folder itself, in order."""
        return [path.name for path in self.images_in([""])]

    def images_in(self, folders: Iterable[str]) -> Iterator[Path]:
        """The images in folders of the folder; "" is itself."""
        for inside in folders:
            names = self._names_in(inside).values()
            here = sorted(name for same in names for name in same if is_image(name))
            yield from (self.folder / inside / name for name in here)

    @cached_property
    def numbers(self) -> dict[int, list[str]]:
        """The names that end in each number; an image has one of its own if there is but one."""
        numbers: dict[int, list[str]] = {}
        for name in self.images:
            if found := _NUMBERED.search(name):
                numbers.setdefault(int(found[1]), []).append(name)
        return numbers

    def find_number(self, number: int) -> Path:
        """The file of an image, by its number.

        Raises:
            BadRecord: none has it, or several have (step `find image`).
        """
        names = self.numbers.get(number, [])
        if not names:
            raise BadRecord(_STEP, f"no image has the number {number}")
        if len(names) > 1:
            raise BadRecord(_STEP, f"{len(names)} images have the number {number}: {_some(names)}")
        return self.folder / names[0]

    def find_id(self, value: object) -> Path:
        """The file of an image, by its number, or by its name with or without ending.

        Raises:
            BadRecord: there is no such file, or there are several (step `find image`).
        """
        if isinstance(value, str) and not value.strip().isdecimal():
            return self.find_name(self._stems.get(_fold(value.strip()), value.strip()))
        number = read_id(value)
        if number is None:
            raise BadRecord(_STEP, f"not an id: {value!r:.100}")
        return self.find_number(number)

    def has_id(self, value: object) -> bool:
        """Whether an image has such an id, be it one of several."""
        if isinstance(value, str) and not value.strip().isdecimal():
            return self.has_name(self._stems.get(_fold(value.strip()), value.strip()))
        return read_id(value) in self.numbers

    @cached_property
    def _stems(self) -> dict[str, str]:
        """The names without ending that one image alone has."""
        stems: dict[str, list[str]] = {}
        for name in self.images:
            stems.setdefault(_fold(name.rpartition(".")[0]), []).append(name)
        return {stem: names[0] for stem, names in stems.items() if len(names) == 1}


def folder_of(name: object) -> str:
    """The folder in a file's name, "" where there is none, or where it is no name.

    Example:
        >>> folder_of("a/b/1.jpg"), folder_of("1.jpg"), folder_of(None)
        ('a/b', '', '')
    """
    if not isinstance(name, str):
        return ""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        return ""
    return path.parent.as_posix().removeprefix(".")


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


def is_image(name: str) -> bool:
    """Whether a file is an image, by the ending of its name."""
    return name.lower().endswith(IMAGE_ENDINGS)


def _fold(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
