"""The path of an object store, which is used like that of a file system."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PosixPath
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.storage.reader import ObjectReader

BLOCK = 1 << 23  # bytes that are asked for, or sent, at once
_FILE, _FOLDER = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755
_EXTRAS = {"s3": "aws", "gs": "gcp"}

Kind = Literal["file", "folder", "other"]


class StorePath(PosixPath):
    """A file or folder of an object store, e.g. `s3://bucket/raw/train.de`.

    It is a `pathlib.Path`, so that code which reads and writes by a path's methods works for local
    files and stores. A store has no links or modes, and its folders are common prefixes of names,
    so that making one does nothing. The store is accessed through fsspec, which reads keys and
    addresses from where each store's own tools do (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`,
    `~/.aws`, …).

    Raises:
        FileNotFoundError: there is no such object.
        UserError: what is needed for this kind of store is not installed, or the store refuses.

    Example:
        >>> folder = StorePath("memory://raw")
        >>> (folder / "train.de").write_text("Ein Hund.")
        9
        >>> [str(path) for path in folder.iterdir()]
        ['memory://raw/train.de']
    """

    # PosixPath keeps the parts `s3:`, `bucket`, `raw`, …; only as a text it loses a slash.

    def __str__(self) -> str:
        return f"{self.parts[0]}//{'/'.join(self.parts[1:])}"

    @property
    def _protocol(self) -> str:
        return self.parts[0].removesuffix(":")

    @property
    def _key(self) -> str:
        return "/".join(self.parts[1:])

    @contextmanager
    def _store(self) -> Iterator[Any]:
        """Yields the store; its exceptions become `FileNotFoundError` or `UserError`."""
        import fsspec  # noqa: PLC0415  # half a second, which files on a disk need not wait for

        try:
            yield fsspec.filesystem(self._protocol)
        except OSError as fault:
            # Of a local file that is copied: stores name none, and have room.
            if fault.filename is not None or fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            if not isinstance(fault, FileNotFoundError):
                raise self._no_access(fault) from fault
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self)) from fault
        except ImportError as fault:
            extra = _EXTRAS.get(self._protocol)
            fix = f"pip install 'rnnpipe[{extra}]'" if extra else f"install it ({fault})"
            expected = f"what reads {self._protocol}:// to be installed"
            raise UserError(str(self), expected, "none", fix) from fault
        except UserError:
            raise
        except Exception as fault:  # a store's own exceptions have no base in common
            if isinstance(fault, ValueError) and "Protocol not known" in str(fault):
                fix = "name a folder, s3://<bucket>/<folder> or gs://<bucket>/<folder>"
                raise UserError(str(self), "a kind of object store", self._protocol, fix) from fault
            raise self._no_access(fault) from fault

    def _no_access(self, fault: Exception) -> UserError:
        got = " ".join(str(fault).split()) or type(fault).__name__
        fix = "check the bucket's name, its rights, and your keys (for S3: AWS_ACCESS_KEY_ID, "
        fix += "AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL or ~/.aws)"
        expected = "an object store that gives access"
        return UserError(str(self), expected, f"{type(fault).__name__}: {got}", fix)

    def is_absolute(self) -> bool:
        """Always: a bucket lies in no folder."""
        return True

    def absolute(self) -> "StorePath":
        """The same path."""
        return self

    def relative_to(self, *other: Any) -> PosixPath:  # type: ignore[override]  # no path of a store
        """The names that lead from a folder to this."""
        return PosixPath(*super().relative_to(*other).parts)

    def _info(self) -> dict[str, Any]:
        with self._store() as store:
            info: dict[str, Any] = store.info(self._key)
        return info

    def _kind(self) -> str | None:
        try:
            return str(self._info()["type"])
        except FileNotFoundError:
            return None

    # Path's own ones would take a user's mistake, which is a ValueError, for a missing file.

    def exists(self) -> bool:
        """Whether there is such an object, or one in such a folder."""
        return self._kind() is not None

    def is_file(self) -> bool:
        """Whether there is such an object."""
        return self._kind() == "file"

    def is_dir(self) -> bool:
        """Whether an object lies in such a folder."""
        return self._kind() == "directory"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size and kind; a folder is there where an object lies in it."""
        del follow_symlinks
        info = self._info()
        mode = _FILE if info["type"] == "file" else _FOLDER
        return os.stat_result((mode, 0, 0, 0, 0, 0, info["size"] or 0, 0, 0, 0))

    def iterdir(self) -> Iterator["StorePath"]:  # type: ignore[override]  # as Path: of its own kind
        """What lies in the folder, as the store has it now; a folder that is missing is empty."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            names = store.ls(self._key, detail=False) if store.exists(self._key) else []
        yield from (self._at(name) for name in names if name.strip("/") != self._key)

    def scan(self) -> Iterator[tuple[str, Kind]]:
        """The names in the folder and what they are, from one listing; see `scan`."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            entries = store.ls(self._key, detail=True) if store.exists(self._key) else []
        for entry in entries:
            name = entry["name"].strip("/")
            if name != self._key:
                yield name.rpartition("/")[2], "folder" if entry["type"] == "directory" else "file"

    def glob(self, pattern: str) -> Iterator["StorePath"]:  # type: ignore[override]  # as above
        """The files in the folder whose names are like the pattern, as the store has them now."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            names = store.glob(f"{self._key}/{pattern}")
        yield from map(self._at, names)

    def rglob(self, pattern: str) -> Iterator["StorePath"]:  # type: ignore[override]  # as above
        """The same at any depth."""
        return self.glob(f"**/{pattern}")

    def _at(self, name: str) -> "StorePath":
        return type(self)(f"{self._protocol}://{name.strip('/')}")

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """Opens an object; one that is written appears as a whole when it is closed."""
        del buffering
        raw: Any
        if set(mode) <= set("rbt"):
            reader = ObjectReader(self.read_range, self.stat().st_size)
            raw = io.BufferedReader(reader, BLOCK)
        else:
            with self._store() as store:
                raw = store.open(self._key, mode.strip("bt") + "b", block_size=BLOCK)
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)

    def read_bytes(self) -> bytes:
        """The object's content, in one request."""
        with self._store() as store:
            content: bytes = store.cat_file(self._key)
        return content

    def read_files(self) -> dict[str, bytes]:
        """What all files of the folder hold, by their names in it; many are read at once."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            contents = store.cat(store.find(self._key))
        start = len(self._key) + 1
        return {name.strip("/")[start:]: content for name, content in contents.items()}

    def list_sizes(self) -> dict[str, int]:
        """The sizes of all files of the folder, by their names in it, from one listing."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            infos = store.find(self._key, detail=True)
        start = len(self._key) + 1
        return {name.strip("/")[start:]: info["size"] for name, info in infos.items()}

    def read_range(self, start: int, stop: int) -> bytes:
        """The bytes between two places; fewer where the object ends before."""
        with self._store() as store:
            content: bytes = store.cat_file(self._key, start=start, end=stop)
        return content

    def write_bytes(self, data: Any) -> int:
        """Puts an object, in one request where it is small."""
        with self._store() as store:
            store.pipe_file(self._key, bytes(data))
        return len(data)

    def write_text(
        self,
        data: str,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> int:
        """Puts an object."""
        del newline
        self.write_bytes(data.encode(encoding or "utf-8", errors or "strict"))
        return len(data)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """The object's content as text, in one request; line ends are single line feeds."""
        text = self.read_bytes().decode(encoding or "utf-8", errors or "strict")
        return text.replace("\r\n", "\n")

    def modified(self) -> datetime:
        """When the object was written, by the store's clock."""
        with self._store() as store:
            time: datetime = store.modified(self._key)
        return time

    def download(self, path: Path) -> None:
        """Copies an object to a local file."""
        with self._store() as store:
            store.get_file(self._key, str(path))

    def upload(self, path: Path) -> None:
        """Puts a local file as this object, which appears when all of it is there."""
        with self._store() as store:
            store.put_file(str(path), self._key)

    def replace(self, target: Any) -> "StorePath":
        """Gives the object another name in the same store: a copy, then a removal."""
        with self._store() as store:
            store.mv(self._key, target._key)
        return type(self)(target)

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes an object."""
        try:
            with self._store() as store:
                store.rm_file(self._key)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: a folder is there once something is in it."""

    def rmdir(self) -> None:
        """Nothing: a folder is gone with the last that is in it."""

    def remove_tree(self) -> None:
        """Removes all that lies in the folder."""
        with self._store() as store:
            store.invalidate_cache(self._key)
            if store.exists(self._key):
                store.rm(self._key, recursive=True)
