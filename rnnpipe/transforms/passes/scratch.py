"""What workers leave for each other and for the process that waits for them: files, for a while."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.storage.paths import StorePath, remove_tree

_SCRATCH = "work"
_PARTIAL = "half"
_STOP = "stop"


def scratch_folder(folder: Path, name: str) -> Path:
    """A folder in the one that is being built; it is there when this returns.

    Args:
        folder: where the records are built.
        name: what lies in it.
    """
    path = folder / _SCRATCH / name
    for made in (path.parent, path):  # but never `folder` itself, should it have vanished
        made.mkdir(exist_ok=True)
    return path


def partial_folder(folder: Path) -> Path:
    """Where files lie until they are whole.

    A worker that is killed leaves one there, and its work is done again: nobody may read what is
    left or publish it.

    Args:
        folder: where the records are built.
    """
    return scratch_folder(folder, _PARTIAL)


def write_lines(folder: Path, work: str, name: str, lines: Iterable[str]) -> None:
    """Writes a file whole or not at all; what is tried again replaces it by the same content.

    Args:
        folder: where the records are built.
        work: which of its work folders the file goes to.
        name: of the file, the same for all attempts.
        lines: what it holds.
    """
    path, ended = scratch_folder(folder, work) / name, (f"{line}\n" for line in lines)
    if isinstance(path, StorePath):
        path.write_text("".join(ended))
        return
    temporary = partial_folder(folder) / f"{name}.{uuid.uuid4().hex}"
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(ended)
    temporary.replace(path)


def request_stop(folder: Path) -> None:
    """Tells all workers that what they write will not be published."""
    (folder / _SCRATCH / _STOP).write_text("")


def is_stop_requested(folder: Path) -> bool:
    """Whether they have been told."""
    return (folder / _SCRATCH / _STOP).exists()


def clear(work: Path) -> None:
    """Removes the files of such a folder."""
    if isinstance(work, StorePath):
        work.remove_tree()  # all at once: there may be many, and each is a request
        return
    for path in work.iterdir():
        path.unlink()


def remove_scratch(folder: Path) -> None:
    """Removes all such folders: they are not part of the data set."""
    remove_tree(folder / _SCRATCH)


@contextmanager
def local_scratch_folder(folder: Path, name: str) -> Iterator[Path]:
    """Such a folder on this machine, also where `folder` lies in an object store."""
    if isinstance(folder, StorePath):
        with TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        yield scratch_folder(folder, name)
