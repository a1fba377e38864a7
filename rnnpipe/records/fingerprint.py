"""What records were made from, and a hash of it: equal fingerprints mean equal records."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rnnpipe.storage.endings import IMAGE_ENDINGS, SOUND_ENDINGS, VIDEO_ENDINGS

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = ("sources", "records", "transforms", "audio", "text", "metrics")  # what a build runs
_UNREADABLE = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENODEV),
    *(errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG),
}
_MEDIA = {*IMAGE_ENDINGS, *VIDEO_ENDINGS, *SOUND_ENDINGS}


def make_fingerprint(
    settings: Mapping[str, Any], files: Iterable[Path], libraries: Iterable[str]
) -> dict[str, Any]:
    """The fingerprint of records built with `settings` from `files`.

    Files count by their content, but images, sounds and videos, too many to read at every run, by
    name and size. Where they lie does not count, so that moving raw data rebuilds nothing.

    Args:
        settings: all that the records depend on beside the raw data; JSON values.
        files: the raw data.
        libraries: the distributions whose versions show in the bytes of the records.

    Returns:
        `settings`, `sources`, `code` and `libraries`, and the hash of these, `fingerprint`.
    """
    content = {
        "settings": dict(settings),
        "sources": _hash_files(files),
        "code": _code_version(),
        "libraries": {name: version(name) for name in sorted(libraries)},
    }
    serialised = json.dumps(content, sort_keys=True).encode()
    return {"fingerprint": hashlib.sha256(serialised).hexdigest(), **content}


def identify_files(files: Iterable[Path]) -> str:
    """A hash of what changes when one of the files is written, replaced or removed.

    It reads none of them, and notices what `make_fingerprint` does not: an image that is replaced
    by one of the same size, a text that is changed and changed back.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(os.fsencode(path) + b"\0")
        try:
            status = path.stat()
        except OSError:
            digest.update(b"unreadable\0")
        else:
            digest.update(f"{status.st_ino} {status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _hash_files(files: Iterable[Path]) -> dict[str, Any]:
    digest = hashlib.sha256()
    paths = sorted(files)
    root = os.path.commonpath([path.parent for path in paths]) if paths else ""
    for path in paths:
        digest.update(os.fsencode(os.path.relpath(path, root)) + b"\0")
        try:
            digest.update(_content(path))
        except OSError as fault:
            if fault.errno not in _UNREADABLE:
                raise
            digest.update(b"unreadable\0")  # such as a dangling link: the build reports it
    return {"files": len(paths), "sha256": digest.hexdigest()}


def _content(path: Path) -> bytes:
    if path.suffix.lower() in _MEDIA:
        return f"{path.stat().st_size}\0".encode()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@cache
def _code_version() -> str:
    """A hash of the code that a build runs: when it changes, records are stale."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((_PACKAGE / package).rglob("*.py")):
            digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()
