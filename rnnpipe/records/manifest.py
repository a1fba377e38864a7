"""What a data set consists of: one small file that names all others, with their checksums.

On a file system it lies among them. In an object store they lie in a folder beside it, and writing
it publishes them.
"""

import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import google_crc32c

from rnnpipe.storage.json_files import MAX_BYTES, parse_json
from rnnpipe.storage.paths import check_file_name
from rnnpipe.storage.store_path import StorePath

MANIFEST = "manifest.json"
HERE = "."
"""The folder of a data set whose files lie beside their manifest."""

_CHUNK = 1 << 20
_NONE: Mapping[str, Any] = MappingProxyType({})


class NotOurs(Exception):
    """A file of the manifest's name that something else has written."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a data set.

    Args:
        num_bytes: its size, in bytes.
        crc32c: its checksum (Castagnoli), in hexadecimal.
    """

    num_bytes: int
    crc32c: str

    @classmethod
    def of(cls, path: Path) -> "StoredFile":
        """What a file is."""
        digest = FileDigest()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.finish()

    def __str__(self) -> str:
        return f"{self.num_bytes:,} bytes with the checksum {self.crc32c}"


@dataclass(slots=True)
class FileDigest:
    """Size and checksum of a file, as it is written or read."""

    _num_bytes: int = 0
    _crc32c: Any = field(default_factory=google_crc32c.Checksum)

    def update(self, data: bytes) -> None:
        """Adds the bytes that come next."""
        self._crc32c.update(data)
        self._num_bytes += len(data)

    def finish(self) -> StoredFile:
        """The file that all bytes make."""
        return StoredFile(self._num_bytes, self._crc32c.hexdigest().decode())


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a data set.

    Args:
        build: the folder that they lie in, beside the manifest, or `HERE`.
        files: what each is, by its name in that folder.
    """

    build: str
    files: Mapping[str, StoredFile]

    @classmethod
    def of(
        cls, folder: Path, written: Mapping[str, StoredFile] = MappingProxyType({})
    ) -> "Manifest":
        """That of a folder with a whole data set.

        Args:
            folder: where the files lie, and the manifest will.
            written: what some of them are, as they were written; others are read.
        """
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        names = {path.relative_to(folder).as_posix(): path for path in paths}
        names.pop(MANIFEST, None)
        files = {name: written.get(name) or StoredFile.of(path) for name, path in names.items()}
        return cls(HERE, files)

    @classmethod
    def read(cls, directory: Path) -> "Manifest | None":
        """That of a data set; None where there is none.

        Raises:
            NotOurs: the file is something else, or names files outside of the data set.
            UserError: the store refuses.
        """
        try:
            content = _read(directory / MANIFEST)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            read = parse_json(content)
            files = {_check_name(name): _parse(file) for name, file in read["files"].items()}
            build = _check_build(read["build"])
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise NotOurs(f"{MANIFEST} does not name the files of a data set: {fault}") from fault
        return cls(build, files)

    def write(self, directory: Path) -> None:
        """Writes it; to a store in one request: readers see the data set before it, or this one."""
        files = {name: asdict(file) for name, file in sorted(self.files.items())}
        content = json.dumps({"build": self.build, "files": files}, indent=1)
        (directory / MANIFEST).write_bytes(content.encode())


def _read(path: Path) -> bytes:
    if isinstance(path, StorePath):
        return path.read_bytes()
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        raise NotOurs(f"{MANIFEST} is a folder, a device or too large")
    return path.read_bytes()


def _check_name(name: str) -> str:
    """The name of a file of a data set; whoever opens a published one writes files of these names.

    Raises:
        ValueError: it leads out of the folder, or is that of the manifest.
    """
    if name == MANIFEST:
        raise ValueError(f"{name!r} is no file in its folder")
    return check_file_name(name)


def _check_build(name: str) -> str:
    """The folder of a data set, beside its manifest or that of the manifest."""
    if name != HERE and PurePosixPath(_check_name(name)).name != name:
        raise ValueError(f"{name!r:.100} is no folder beside it")
    return name


def _parse(file: Any) -> StoredFile:
    num_bytes, crc32c = file["num_bytes"], file["crc32c"]
    if type(num_bytes) is not int or not isinstance(crc32c, str):
        raise TypeError(f"{file!r:.100} is no size and checksum")
    return StoredFile(num_bytes, crc32c)
