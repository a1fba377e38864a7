"""Atomic publication of records: by a rename on a file system, by a manifest in a store."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.errors import UserError
from rnnpipe.records.inventory import Inventory
from rnnpipe.records.layout import FINGERPRINT
from rnnpipe.records.manifest import MANIFEST, Manifest, NotOurs, StoredFile
from rnnpipe.storage.leftovers import remove_leftovers, replace_folder, unfinished_folder
from rnnpipe.storage.lock import locking
from rnnpipe.storage.owner import is_dead, owner
from rnnpipe.storage.paths import remove_tree
from rnnpipe.storage.store_path import StorePath

_BUILD = "build-"
_MARK = "building"
_LONGEST_BUILD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Staging:
    """The folders of an unfinished build; on a file system both are the same.

    Args:
        shared: where workers write.
        local: where the process that publishes the records writes its own files.
        written: what workers have written into `shared`, by name: what the manifest then has, and
            not what a disk has made of it.
    """

    shared: Path
    local: Path
    written: dict[str, StoredFile] = field(default_factory=dict)


@contextmanager
def publishing(path: Path) -> Iterator[Staging]:
    """Yields folders to build in, whose content is published as `path` when the block ends.

    When the block raises, they are removed, as are the leftovers of killed builds. Existing records
    are replaced, anything else is refused.

    - On a file system the folder lies in one beside `path`, and one rename publishes it. What is
      there is locked from the beginning, so that nobody reads what will be replaced.
    - In an object store, which has no renames, it lies in `path`, under a unique name. Uploading
      the manifest, which lists the files, publishes it.

    The folders have absolute paths, as workers may have another working directory.

    Raises:
        UserError: `path` holds something else too, or records that are being read, nothing can be
            written there, or the folder or a file in it was removed meanwhile.
    """
    path = path.absolute()
    check_replaceable(path)
    _check_nothing_else(path)
    publish = _publishing_manifest(path) if isinstance(path, StorePath) else _renaming(path)
    with publish as staging:
        yield staging


def check_replaceable(path: Path) -> None:
    """Refuses a path that holds something else than records.

    Raises:
        UserError: `path` is a file, or a directory with other things in it.
    """
    if not path.exists():
        return
    try:
        other = _find_other(path) if path.is_dir() else "a file"
    except OSError as error:
        raise _not_writable(path, error) from error
    if other:
        raise UserError(
            str(path),
            "a records directory, an empty one or none",
            other,
            "choose another directory for the records",
        )


def _find_other(path: Path) -> str:
    """What of a directory is not that of a data set, damaged as this may be; empty: nothing."""
    other, manifest = "a directory with other things in it", _read_manifest(path)
    there = {child.name for child in path.iterdir()}
    if isinstance(path, StorePath):
        builds = {name for name in there if name.startswith(_BUILD)}
        is_ours = there - {MANIFEST} == builds and (builds or manifest is not None)
        return "" if is_ours else other
    is_ours = not there or manifest is not None or (path / FINGERPRINT).is_file()
    return "" if is_ours else other


def _check_nothing_else(path: Path) -> None:
    """Refuses to replace records beside which something else lies in their directory.

    Raises:
        UserError: there is a file that their manifest does not name.
    """
    manifest = None if isinstance(path, StorePath) else _read_manifest(path)
    if manifest is None:
        return
    ours = {name.split("/")[0] for name in manifest.files} | {MANIFEST}
    others = [child.name for child in path.iterdir() if child.name not in ours]
    if visible := [name for name in others if not name.startswith(".")]:
        got = f"one with other things in it ({min(visible)}), which would be lost"
        fix = "move them away, or choose another directory for the records"
        raise UserError(str(path), "a directory of records alone", got, fix)


def _read_manifest(path: Path) -> Manifest | None:
    """The manifest of a data set; None where there is none that can be read."""
    try:
        return Manifest.read(path)
    except NotOurs:
        return None


@contextmanager
def _renaming(path: Path) -> Iterator[Staging]:
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            folder = unfinished_folder(path.parent, path.name)
            staging = stack.enter_context(folder) / path.name
            staging.mkdir()
        except OSError as error:
            raise _not_writable(path, error) from error
        stack.enter_context(_reporting_removal_of(staging, path))
        replaced = _lock(path, stack)
        content = Staging(staging, staging)
        yield content
        Inventory(staging, content.written).check(content.written, in_full=False)
        manifest = Manifest.of(staging, content.written)
        manifest.write(staging)
        if _identity(path) != replaced:  # another process has published records meanwhile
            try:
                _lock(path, stack)
            except UserError:
                if _read_manifest(path) != manifest:
                    raise
                return  # the same ones, which are being read already
        replace_folder(staging, path)


def _lock(path: Path, locks: ExitStack) -> tuple[int, int] | None:
    """Keeps others from reading the records that will be replaced.

    Returns:
        Which they are; None where there are none.

    Raises:
        UserError: they are being read, or another process builds there.
    """
    try:
        locks.enter_context(locking(path / MANIFEST))
    except BlockingIOError:
        raise UserError(
            str(path),
            "records that no other process works on",
            "some that another process reads, to train or to score, or builds",
            "wait until it has ended, or choose another directory",
        ) from None
    except OSError:
        return None
    return _identity(path)


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = (path / MANIFEST).stat()
        return status.st_dev, status.st_ino
    return None


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
    mark = shared / _MARK
    try:
        before = _read_manifest(path)
        for build in path.iterdir():
            if (before is None or build.name != before.build) and _is_left(build):
                remove_tree(build)
        mark.write_text("", encoding="utf-8")  # fails now if the bucket or a permission is missing
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        with TemporaryDirectory() as local, _reporting_removal_of(mark, path):
            content = Staging(shared, Path(local))
            yield content
            files = {**content.written, **_put_all(Path(local), shared)}
            mark.read_bytes()  # without it other files may have been removed as well
        mark.unlink()
        before = _read_manifest(path)
        Manifest(own, files).write(path)
        if before is not None and before.build.startswith(_BUILD):
            (path / before.build).remove_tree()
    finally:
        # Read from the store: a request whose answer was lost may have published it.
        published = _read_manifest(path)
        if published is None or published.build != own:
            shared.remove_tree()


def _is_left(build: StorePath) -> bool:
    """Whether a folder is that of a build which has ended; a store has no locks.

    Of builds elsewhere, also in a container that is gone, nothing is known but their age.
    """
    if not build.name.startswith(_BUILD):
        return False
    if is_dead(build.name.removeprefix(_BUILD).rpartition("-")[0]):
        return True
    for name in (_MARK, FINGERPRINT):  # of one that was stopped as it was published
        with suppress(FileNotFoundError):
            return datetime.now(UTC) - (build / name).modified() > _LONGEST_BUILD
    return False


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


def remove_unfinished(folder: Path) -> None:
    """Removes what killed builds left in a folder.

    Args:
        folder: where records lie; those of an object store are looked after when they are built.
    """
    if not isinstance(folder, StorePath):
        with suppress(OSError):  # whoever builds there reports it
            remove_leftovers(folder)
