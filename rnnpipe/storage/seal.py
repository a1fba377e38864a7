"""The seal of a folder: the checksums of its files, which are checked when the files are read."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.storage.atomic import atomic_path, json_text, write_text
from rnnpipe.storage.json_files import parse_json, read_json_as, validate
from rnnpipe.storage.paths import check_file_name

SEAL = "seal.json"

FIX = "restore it from a copy, or make it anew"
_ATTEMPTS = 5  # to read a file that another process replaces meanwhile


@dataclass(frozen=True, slots=True)
class Checksum:
    """The size and the SHA-256 of a file.

    Args:
        num_bytes: its size.
        sha256: in hexadecimal.
    """

    num_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Checksum":
        """That of a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return cls(path.stat().st_size, digest.hexdigest())


@dataclass(frozen=True)
class _Content:
    """What the file of a seal holds."""

    files: dict[str, list[Checksum | None]]
    sha256: str


Entry = tuple[Checksum | None, ...]
"""What a file may be: of one checksum, or of several while it is replaced; None: not there."""


@dataclass(frozen=True)
class Seal:
    """`seal.json` in a folder, with the checksum of each file there that is read again.

    A file is written in three steps: its new checksum is added to that of the old file, the file is
    replaced by a rename, the old checksum is removed. A process that is killed at any moment leaves
    a sealed file, and other processes read without a lock. A single process writes.

    Args:
        folder: the folder.

    Example:
        >>> seal = Seal(Path("run"))
        >>> seal.folder.mkdir()
        >>> seal.begin()
        >>> seal.write_text(Path("run/scores.json"), "{}")
        >>> seal.read_json(Path("run/scores.json"))
        {}
        >>> _ = Path("run/scores.json").write_text("{")
        >>> seal.read_json(Path("run/scores.json"))
        Traceback (most recent call last):
            ...
        rnnpipe.errors.UserError: run/scores.json: expected the file that was written there, \
got 1 of its 2 bytes; restore it from a copy, or make it anew
    """

    folder: Path

    @property
    def path(self) -> Path:
        """The file of the seal."""
        return self.folder / SEAL

    def begin(self) -> None:
        """Writes the seal of a folder in which nothing is sealed yet."""
        self._write({})

    def expects(self, path: Path) -> bool:
        """Whether a file, or a folder of files, was sealed: it should be there.

        Raises:
            UserError: the seal itself is damaged.
        """
        entries = self._find(path)
        return bool(entries) and all(
            None not in entry or (self.folder / name).is_file() for name, entry in entries.items()
        )

    def find(self, pattern: str) -> list[Path]:
        """The sealed files whose paths end as a pattern does, as in `Path.match`, sorted."""
        paths = (self.folder / name for name in self._read())
        return sorted(path for path in paths if path.relative_to(self.folder).match(pattern))

    def holds(self, path: Path) -> bool:
        """Whether a file, or all of a folder, is there as it was sealed."""
        try:
            self.check(path)
        except UserError:
            return False
        return True

    def check(self, path: Path) -> Path:
        """Checks a file, or the sealed files of a folder; returns its path.

        Raises:
            UserError: it is missing, damaged or another one, or the seal is.
        """
        entries = self._find(path)
        if not entries and not (path.is_dir() and not any(path.iterdir())):
            got = "one that was not" if path.exists() else "none"
            raise UserError(str(path), f"a file that is in {SEAL}", got, FIX)
        for name in entries:
            self._check_file(self.folder / name, None)
        return path

    def copy(self, path: Path, target: Path) -> None:
        """Copies a file and checks the copy: the file itself may be replaced meanwhile.

        Raises:
            UserError: as `check`.
        """
        self._check_file(path, target)

    def read_text(self, path: Path) -> str:
        """The text of a file; raises as `check`."""
        try:
            return self.check(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UserError(str(path), "text in UTF-8", f"other bytes ({error})", FIX) from error

    def read_json(self, path: Path, kind: Any = dict[str, Any]) -> dict[str, Any]:
        """The content of a JSON file with an object.

        Args:
            path: the file.
            kind: the type that it must have, see `parse_json_as`.

        Raises:
            UserError: as `check`, or for a content of another type.
        """
        text = self.read_text(path)
        try:
            content: dict[str, Any] = parse_json(text)
            validate(kind, content)
        except ValueError as error:
            expected = "JSON as rnnpipe writes it there"
            raise UserError(str(path), expected, f"something else ({error})", FIX) from error
        return content

    @contextmanager
    def write(self, path: Path) -> Iterator[Path]:
        """Yields an unfinished path, as `atomic_path`; what is there at the end is sealed."""
        with atomic_path(path, durable=True) as unfinished:
            yield unfinished
            found = unfinished.rglob("*") if unfinished.is_dir() else [unfinished]
            files = [file for file in found if file.is_file()]
            new = {path / file.relative_to(unfinished): Checksum.of(file) for file in files}
            sealed, written = self._read(), {self._name(p): each for p, each in new.items()}
            old = {name: sealed.get(name, (None,)) for name in written}
            self._write(sealed | {name: (written[name], *old[name]) for name in written})
        self._write(sealed | {name: (each,) for name, each in written.items()})

    def write_text(self, path: Path, text: str) -> None:
        """Writes a text file, wholly or not at all, and seals it."""
        with self.write(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")

    def add(self, path: Path) -> None:
        """Seals a file that is there."""
        self._write(self._read() | {self._name(path): (Checksum.of(path),)})

    def remove(self, path: Path) -> None:
        """Removes a file; it is no longer expected."""
        sealed = self._read()
        if sealed.pop(self._name(path), None) is not None:
            self._write(sealed)
        path.unlink(missing_ok=True)

    def _check_file(self, path: Path, copy: Path | None) -> None:
        """Compares a file, or the copy that is made of it, with the seal read after it."""
        for _ in range(_ATTEMPTS):
            found = None
            if path.is_file():  # a pipe would wait for ever
                found = Checksum.of(path if copy is None else Path(shutil.copyfile(path, copy)))
            entry = self._read().get(self._name(path), ())
            if found is not None and found in entry:
                return
        expected = "the file that was written there"
        raise UserError(str(path), expected, _describe(path, found, entry), FIX)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _find(self, path: Path) -> dict[str, Entry]:
        """The entries of a file, or of all files in a folder."""
        name = self._name(path)
        return {
            each: entry
            for each, entry in self._read().items()
            if each == name or each.startswith(f"{name}/")
        }

    def _read(self) -> dict[str, Entry]:
        try:
            content = read_json_as(_Content, self.path)
            if content.sha256 != _digest(_plain(content.files)):
                raise ValueError("it was changed")  # noqa: TRY301  # reported as all of its damage
            return {check_file_name(name): tuple(entry) for name, entry in content.files.items()}
        except FileNotFoundError:
            got = "none"
        except OSError as error:
            got = error.strerror or str(error)
        except ValueError as error:
            got = f"one that is damaged ({error})"
        raise UserError(str(self.path), "the checksums of the files beside it", got, FIX)

    def _write(self, sealed: Mapping[str, Entry]) -> None:
        files = _plain(sealed)
        write_text(self.path, json_text({"files": files, "sha256": _digest(files)}))


def _plain(sealed: Mapping[str, Sequence[Checksum | None]]) -> dict[str, Any]:
    return {name: [each and asdict(each) for each in sealed[name]] for name in sorted(sealed)}


def _digest(files: Any) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _describe(path: Path, found: Checksum | None, entry: Entry) -> str:
    if found is None:
        return "something else" if path.exists() else "none"
    sizes = {each.num_bytes for each in entry if each}
    if len(sizes) == 1 and found.num_bytes < min(sizes):
        return f"{found.num_bytes:,} of its {min(sizes):,} bytes"
    return "another one, or one that was damaged or edited"


# A file of a training may lie in a sealed folder, the run, or in any other.


def find_seal(path: Path) -> Seal | None:
    """The seal of the nearest folder above a file that has one."""
    return next((Seal(folder) for folder in path.parents if (folder / SEAL).is_file()), None)


@contextmanager
def sealed_path(path: Path) -> Iterator[Path]:
    """Yields an unfinished path, as `atomic_path`, and seals the file if its folder is sealed."""
    seal = find_seal(path)
    with seal.write(path) if seal else atomic_path(path, durable=True) as unfinished:
        yield unfinished


def is_expected(path: Path) -> bool:
    """Whether a file should be there, by the seal of its folder; whether it is, without one."""
    seal = find_seal(path)
    return seal.expects(path) if seal else path.exists()


def check_sealed(path: Path) -> None:
    """Checks a file by the seal of its folder; without one nothing is known of it.

    Raises:
        UserError: it is missing, damaged or another one.
    """
    if seal := find_seal(path):
        seal.check(path)


def copy_sealed(path: Path, target: Path) -> None:
    """Copies a file, checked as by `check_sealed`, that may be replaced meanwhile."""
    if seal := find_seal(path):
        seal.copy(path, target)
    else:
        shutil.copyfile(path, target)


def remove_sealed(path: Path) -> None:
    """Removes a file, which is no longer expected."""
    if seal := find_seal(path):
        seal.remove(path)
    else:
        path.unlink(missing_ok=True)
