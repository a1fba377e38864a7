"""Scratch files, by which workers pass data to each other and to the main process."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.paths import remove_tree
from rnnpipe.storage.store_path import StorePath

_SCRATCH = "scratch"
_PARTIAL = "partial"
_STOP = "stop"


def scratch_folder(folder: Path, name: str) -> Path:
    """Makes and returns a scratch folder in the records directory that is being built.

    Args:
        folder: where the records are built.
        name: of the scratch folder.
    """
    path = folder / _SCRATCH / name
    for parent in (path.parent, path):  # never `folder` itself, which may have been removed
        parent.mkdir(exist_ok=True)
    return path


def partial_folder(folder: Path) -> Path:
    """The folder of unfinished files.

    A killed worker leaves one there, and its work is repeated: what is left is never read or
    published.

    Args:
        folder: where the records are built.
    """
    return scratch_folder(folder, _PARTIAL)


def write_lines(folder: Path, scratch: str, name: str, lines: Iterable[str]) -> None:
    """Writes a file whole or not at all; a second attempt replaces it by the same content.

    Args:
        folder: where the records are built.
        scratch: the name of the file's scratch folder.
        name: of the file, the same for all attempts.
        lines: its content, without line ends.
    """
    path, ended = scratch_folder(folder, scratch) / name, (f"{line}\n" for line in lines)
    if isinstance(path, StorePath):
        path.write_text("".join(ended), encoding="utf-8")
        return
    with (
        atomic_path(path, partial_folder=partial_folder(folder)) as unfinished,
        unfinished.open("w", encoding="utf-8") as file,
    ):
        file.writelines(ended)


def request_stop(folder: Path) -> None:
    """Asks all workers to stop: what they write will not be published."""
    (folder / _SCRATCH / _STOP).write_text("", encoding="utf-8")


def is_stop_requested(folder: Path) -> bool:
    """Whether workers were asked to stop."""
    return (folder / _SCRATCH / _STOP).exists()


def clear(scratch: Path) -> None:
    """Removes the files of a scratch folder."""
    if isinstance(scratch, StorePath):
        scratch.remove_tree()  # all at once: there may be many, and each is a request
        return
    for path in scratch.iterdir():
        path.unlink()


def remove_scratch(folder: Path) -> None:
    """Removes all scratch folders: they are not part of the data set."""
    remove_tree(folder / _SCRATCH)


@contextmanager
def local_scratch_folder(folder: Path, name: str) -> Iterator[Path]:
    """A scratch folder on this machine, also if `folder` lies in an object store."""
    if isinstance(folder, StorePath):
        with TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        yield scratch_folder(folder, name)
