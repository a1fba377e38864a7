"""The manifest of an export, `export.json`: its functions, its check, checksums of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.exports.function import Description
from rnnpipe.storage.atomic import write_json
from rnnpipe.storage.json_files import EXACT, read_json_as
from rnnpipe.storage.paths import check_file_name
from rnnpipe.storage.seal import Checksum

MANIFEST = "export.json"
VERSION = version("rnnpipe")
_EDITABLE = (MANIFEST, "README.md")
_AGAIN = "export the run again"


@dataclass(frozen=True)
class Manifest:
    """The contents of `export.json`.

    Args:
        format: of the files.
        task: of the run.
        functions: by name.
        check: what was compared with the run, and the largest differences; of a quantized export
            the scores of both.
        files: the SHA-256 of each file by its path in the export.
        quantization: its `name`, and how many numbers of the `weights` have each dtype; None of an
            export that computes what its run computes.
        rnnpipe: the version that wrote it.
    """

    __pydantic_config__ = EXACT

    format: str
    task: str
    functions: Mapping[str, Description]
    check: Mapping[str, Any]
    files: Mapping[str, str]
    quantization: Mapping[str, Any] | None = None
    rnnpipe: str = VERSION

    def write(self, folder: Path) -> None:
        """Writes it into an export."""
        write_json(folder / MANIFEST, asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export whose files are as they were written.

    Raises:
        UserError: it is of another version, or its files are damaged.
    """
    try:
        manifest = read_json_as(Manifest, folder / MANIFEST)
        for name in (*manifest.files, *(each.file for each in manifest.functions.values())):
            check_file_name(name)
    except (OSError, ValueError) as error:
        got = f"one that cannot be read ({error})"
        raise UserError(str(folder / MANIFEST), "the file of an export", got, _AGAIN) from error
    if _major(manifest.rnnpipe) != _major(VERSION):
        expected = f"an export of rnnpipe {_major(VERSION)}"
        raise UserError(str(folder), expected, f"one of {manifest.rnnpipe}", _AGAIN)
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.is_file() or Checksum.of(path).sha256 != digest:
            got = "another one" if path.is_file() else "none"
            raise UserError(str(path), "the file that was exported", got, _AGAIN)
    return manifest


def hash_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of an export by its path, but of those that people edit."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: Checksum.of(path).sha256 for name, path in names.items() if name not in _EDITABLE}


def _major(version: str) -> str:
    """What versions have in common that read each other's exports: 0.1 of 0.1.3, 2 of 2.4.0."""
    first, second, *_ = [*version.split("."), ""]
    return f"0.{second}" if first == "0" else first
