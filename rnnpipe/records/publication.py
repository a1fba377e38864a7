"""How records appear: all at once, by a rename on a file system, by a manifest in a store."""

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.errors import UserError
from rnnpipe.records.layout import FINGERPRINT
from rnnpipe.records.manifest import MANIFEST, Manifest, NotOurs, StoredFile, take_checksums
from rnnpipe.storage.paths import StorePath, remove_tree

_BUILD = "build-"
_OLD = "-old"


@dataclass(frozen=True, slots=True)
class Staging:
    """Where records are built; on a file system both are the same folder.

    Args:
        shared: where workers write.
        local: where the process that publishes the records writes its own files.
    """

    shared: Path
    local: Path


@contextmanager
def publishing(path: Path) -> Iterator[Staging]:
    """A place to build in, whose content is published as `path` when the block ends well.

    When it does not, the place vanishes, and so does what a killed build left behind. Records that
    were there before are replaced, anything else is refused.

    - On a file system the place lies beside `path`, and one rename publishes it.
    - In an object store, which has no renames, it lies in `path`, under a name of its own. Putting
      the manifest, which names the files, publishes it.

    The place has an absolute path, as workers may have another working directory.

    Raises:
        UserError: `path` is something else than records, nothing can be written there, or the place
            vanished meanwhile.
    """
    path = path.absolute()
    check_replaceable(path)
    publish = _publishing_manifest(path) if isinstance(path, StorePath) else _renaming(path)
    with publish as staging:
        yield staging


def check_replaceable(path: Path) -> None:
    """Refuses a place that holds something else than records.

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
    staging = path.with_name(f"{path.name}.incomplete-{socket.gethostname()}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent, f"{path.name}.incomplete-", restored=path)
        staging.mkdir()
    except OSError as error:
        raise _no_place(path, error) from error
    try:
        with _noticing_loss_of(staging, path):
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
def _noticing_loss_of(mark: Path, path: Path) -> Iterator[None]:
    """Reports the removal of the folder being built, which causes all kinds of exceptions."""
    try:
        yield
    except Exception as error:
        if _is_there(mark):
            raise
        raise UserError(
            str(path),
            "what is being built to stay until it is published",
            f"{mark} removed meanwhile",
            "build again, and leave that alone",
        ) from error


def _is_there(mark: Path) -> bool:
    if not isinstance(mark, StorePath):
        return mark.exists()
    try:
        mark.read_bytes()  # asked of the store, which may have been listed before
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _publishing_manifest(path: StorePath) -> Iterator[Staging]:
    own = f"{_BUILD}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    shared = path / own
    mark = shared / "building"
    try:
        before = Manifest.read(path)
        _remove_leftovers(path, _BUILD, keep=before.build if before else None)
        mark.write_text("")  # a missing bucket or right is found out now
    except OSError as error:
        raise _no_place(path, error) from error
    try:
        with TemporaryDirectory() as local, _noticing_loss_of(mark, path):
            yield Staging(shared, Path(local))
            files = {**take_checksums(shared), **_put_all(Path(local), shared)}
            mark.read_bytes()  # without it files may be missing of which nothing is known
        mark.unlink()
        before = Manifest.read(path)
        Manifest(own, files).publish(path)
        if before is not None:
            (path / before.build).remove_tree()
    finally:
        # Asked of the store: a request whose answer is lost may have published it all the same.
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


def _no_place(path: Path, error: OSError) -> UserError:
    got = "no such bucket" if isinstance(path, StorePath) else str(error.strerror)
    fix = "choose another directory"
    return UserError(str(path), "a place to write records to", got, fix)


def _remove_leftovers(
    folder: Path, start: str, keep: str | None = None, restored: Path | None = None
) -> None:
    """Removes what builds on this host have left whose process is gone.

    Args:
        folder: where they have built.
        start: how the names of their places begin.
        keep: the name of one that stays.
        restored: what gets back the records that one was killed in the midst of replacing.
    """
    prefix = f"{start}{socket.gethostname()}-"
    for leftover in list(folder.iterdir()):
        pid = leftover.name.removeprefix(prefix).partition("-")[0]
        if not leftover.name.startswith(prefix) or leftover.name == keep:
            continue
        if not pid.isdigit() or _is_running(int(pid)):
            continue
        if restored is not None and leftover.name.endswith(_OLD) and not restored.exists():
            leftover.rename(restored)
        else:
            remove_tree(leftover)


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return False  # this process is only starting: the folder is a namesake's
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
