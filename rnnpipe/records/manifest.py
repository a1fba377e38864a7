"""What a data set in an object store consists of: one small file, whose writing publishes it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import google_crc32c

from rnnpipe.storage.store_path import StorePath

MANIFEST = "manifest.json"
_CHECKSUMS = "checksums"
_CHUNK = 1 << 20


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
        """What a local file is."""
        checksum, size = google_crc32c.Checksum(), 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                checksum.update(chunk)
                size += len(chunk)
        return cls(size, checksum.hexdigest().decode())


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a data set.

    Args:
        build: the folder that they lie in, beside the manifest.
        files: what each is, by its name in that folder.
    """

    build: str
    files: Mapping[str, StoredFile]

    @classmethod
    def read(cls, directory: StorePath) -> "Manifest | None":
        """That of a data set; None where nothing is published.

        Raises:
            NotOurs: the file is something else.
            UserError: the store refuses.
        """
        try:
            content = (directory / MANIFEST).read_bytes()
        except FileNotFoundError:
            return None
        try:
            read = json.loads(content)
            files = {name: StoredFile(**file) for name, file in read["files"].items()}
            return cls(read["build"], files)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise NotOurs(f"{MANIFEST} does not name the files of a data set") from fault

    def publish(self, directory: StorePath) -> None:
        """Writes it, in one request: readers see the data set before it, or this one."""
        files = {name: asdict(file) for name, file in sorted(self.files.items())}
        content = json.dumps({"build": self.build, "files": files}, indent=1)
        (directory / MANIFEST).write_bytes(content.encode())


def put_file(local: Path, path: StorePath) -> None:
    """Uploads a worker's file, and beside it its checksum for the manifest."""
    path.upload(local)
    checksum = path.parent / _CHECKSUMS / path.name
    checksum.write_text(json.dumps(asdict(StoredFile.of(local))), encoding="utf-8")


def take_checksums(folder: StorePath) -> dict[str, StoredFile]:
    """Reads and removes the checksums of the files that workers have uploaded to a folder."""
    checksums = folder / _CHECKSUMS
    contents = checksums.read_files()
    checksums.remove_tree()
    return {name: StoredFile(**json.loads(content)) for name, content in contents.items()}
