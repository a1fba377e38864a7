"""A file that a worker writes, on a file system or in an object store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.store_path import StorePath


@contextmanager
def writing_file(path: Path, partial_folder: Path | None = None) -> Iterator[Path]:
    """Yields where to write a file, which is at `path` when the block ends, whole or not at all.

    On a file system it is written under a temporary name, then renamed; what goes to an object
    store is written to a local file first, since a failed upload cannot be undone.

    Args:
        path: the file.
        partial_folder: where the unfinished file lies, on the same file system, and stays if the
            process is killed; by default beside `path`.
    """
    if isinstance(path, StorePath):
        with TemporaryDirectory() as folder:
            local = Path(folder) / path.name
            yield local
            path.upload(local)
    else:
        with atomic_path(path, partial_folder=partial_folder) as unfinished:
            yield unfinished
