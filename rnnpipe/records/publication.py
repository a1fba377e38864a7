"""Atomic publication of records: by a rename on a file system, by a manifest in a store."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.errors import UserError
from rnnpipe.records.layout import FINGERPRINT
from rnnpipe.records.manifest import MANIFEST, Manifest, NotOurs, StoredFile, take_checksums
from rnnpipe.storage.leftovers import INCOMPLETE, find_leftovers, owner
from rnnpipe.storage.paths import remove_tree
from rnnpipe.storage.store_path import StorePath

_BUILD = "build-"
_OLD = "-old"


@dataclass(frozen=True, slots=True)
class Staging:
    """The folders of an unfinished build; on a file system both are the same.

    Args:
        shared: where workers write.
        local: where the process that publishes the records writes its own files.
    """

    shared: Path
    local: Path


@contextmanager
def publishing(path: Path) -> Iterator[Staging]:
    """Yields folders to build in, whose content is published as `path` when the block ends.

    When the block raises, they are removed, as are the leftovers of killed builds. Existing records
    are replaced, anything else is refused.

    - On a file system the folder lies beside `path`, and one rename publishes it.
    - In an object store, which has no renames, it lies in `path`, under a unique name. Uploading
      the manifest, which lists the files, publishes it.

    The folders have absolute paths, as workers may have another working directory.

    Raises:
        UserError: `path` holds something else than records, nothing can be written there, or the
            folder was removed meanwhile.
    """
    path = path.absolute()
    check_replaceable(path)
    publish = _publishing_manifest(path) if isinstance(path, StorePath) else _renaming(path)
    with publish as staging:
        yield staging


def check_replaceable(path: Path) -> None:
    """Refuses a path that holds something else than records.

    Raises:
        UserError: `path` is a file, or a directory with other things in it.
    """
    if path.is_dir() and _is_ours(path):
        return
    if path.exists():
        raise UserError(
            str(path),
            "a records directory, an empty one or none",
            "a file" if path.is_file() else "a directory with other things in it",
            "choose another directory for the records",
        )


def _is_ours(path: Path) -> bool:
    if isinstance(path, StorePath):
        try:
            Manifest.read(path)
        except NotOurs:
            return False
        return all(p.name == MANIFEST or p.name.startswith(_BUILD) for p in path.iterdir())
    return not any(path.iterdir()) or (path / FINGERPRINT).is_file()


@contextmanager
def _renaming(path: Path) -> Iterator[Staging]:
    staging = path.with_name(f"{path.name}{INCOMPLETE}{owner()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent, f"{path.name}{INCOMPLETE}", restored=path)
        staging.mkdir()
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        with _reporting_removal_of(staging, path):
            yield Staging(staging, staging)
            _replace(path, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(path: Path, staging: Path) -> None:
    old = staging.with_name(f"{staging.name}{_OLD}")
    if path.exists():
        path.rename(old)
    try:
        staging.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _reporting_removal_of(mark: Path, path: Path) -> Iterator[None]:
    """Reports the removal of the folder being built, which causes all kinds of exceptions."""
    try:
        yield
    except Exception as error:
        if _is_there(mark):
            raise
        raise UserError(
            str(path),
            "the unfinished records to exist until they are published",
            f"{mark} removed meanwhile",
            "build again, and do not remove that folder",
        ) from error


def _is_there(mark: Path) -> bool:
    if not isinstance(mark, StorePath):
        return mark.exists()
    try:
        mark.read_bytes()  # a request, since a listing may be cached
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _publishing_manifest(path: StorePath) -> Iterator[Staging]:
    own = f"{_BUILD}{owner()}-{uuid.uuid4().hex[:8]}"
    shared = path / own
    mark = shared / "building"
    try:
        before = Manifest.read(path)
        _remove_leftovers(path, _BUILD, keep=before.build if before else None)
        mark.write_text("", encoding="utf-8")  # fails now if the bucket or a permission is missing
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        with TemporaryDirectory() as local, _reporting_removal_of(mark, path):
            yield Staging(shared, Path(local))
            files = {**take_checksums(shared), **_put_all(Path(local), shared)}
            mark.read_bytes()  # without it other files may have been removed as well
        mark.unlink()
        before = Manifest.read(path)
        Manifest(own, files).publish(path)
        if before is not None:
            (path / before.build).remove_tree()
    finally:
        # Read from the store: a request whose answer was lost may have published it.
        published = Manifest.read(path)
        if published is None or published.build != own:
            shared.remove_tree()


def _put_all(local: Path, shared: StorePath) -> dict[str, StoredFile]:
    files = {}
    for path in sorted(path for path in local.rglob("*") if path.is_file()):
        name = path.relative_to(local).as_posix()
        (shared / name).upload(path)
        files[name] = StoredFile.of(path)
    return files


def _not_writable(path: Path, error: OSError) -> UserError:
    got = "no such bucket" if isinstance(path, StorePath) else str(error.strerror)
    fix = "choose another directory"
    return UserError(str(path), "a directory for records that can be written", got, fix)


def _remove_leftovers(
    folder: Path, start: str, keep: str | None = None, restored: Path | None = None
) -> None:
    """Removes the leftovers of builds on this host whose process has ended.

    Args:
        folder: where the leftovers are.
        start: the prefix of their names.
        keep: the name of one that is not removed.
        restored: the path of records that a killed build was replacing: they are moved back.
    """
    for leftover in find_leftovers(folder, start):
        if leftover.name == keep:
            continue
        if restored is not None and leftover.name.endswith(_OLD) and not restored.exists():
            leftover.rename(restored)
        else:
            remove_tree(leftover)
