"""What workers leave for each other and for the process that waits for them: files, for a while."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_WORK = "work"


def work_folder(folder: Path, name: str) -> Path:
    """A folder in the one that is being built; it is there when this returns.

    Args:
        folder: where the records are built.
        name: what lies in it.
    """
    path = folder / _WORK / name
    for made in (path.parent, path):  # but never `folder` itself, should it have vanished
        made.mkdir(exist_ok=True)
    return path


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes a file whole or not at all; what is tried again replaces it by the same content."""
    temporary = path.with_name(f"{uuid.uuid4().hex}.writing")
    with temporary.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)
    temporary.replace(path)


def clear(work: Path) -> None:
    """Removes the files of such a folder."""
    for path in work.iterdir():
        path.unlink()


def remove_work(folder: Path) -> None:
    """Removes all such folders: they are not part of the data set."""
    for work in (folder / _WORK).iterdir():
        clear(work)
        work.rmdir()
    (folder / _WORK).rmdir()


@contextmanager
def local_folder(folder: Path, name: str) -> Iterator[Path]:
    """Such a folder on this machine, also where `folder` lies in an object store."""
    if type(folder) is type(Path()):  # paths of stores are of a class of their own
        yield work_folder(folder, name)
    else:
        with TemporaryDirectory() as temporary:
            yield Path(temporary)
