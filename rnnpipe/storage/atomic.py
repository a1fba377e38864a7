"""Files and folders that appear whole or not at all: written beside, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def atomic_path(
    path: Path, *, partial_folder: Path | None = None, durable: bool = False
) -> Iterator[Path]:
    """Yields an unfinished path, which is renamed to `path` when the block ends.

    The unfinished path has the name of `path`, and with it its suffix, in a temporary folder
    `<name>.incomplete-…`. That folder is removed when the block raises; a killed process leaves it.
    A file at `path` is replaced; a folder there must be empty.

    Args:
        path: a file or a folder of a file system.
        partial_folder: where the temporary folder lies, on the same file system; by default beside
            `path`.
        durable: whether the content must survive a power cut: it is flushed to the disk before the
            rename, and the rename after it.

    Raises:
        OSError: nothing can be written there.

    Example:
        >>> with atomic_path(Path("scores.json")) as unfinished:
        ...     _ = unfinished.write_text("{}")
        >>> [path.name for path in Path().iterdir()]
        ['scores.json']
    """
    temporary = Path(mkdtemp(prefix=f"{path.name}.incomplete-", dir=partial_folder or path.parent))
    try:
        unfinished = temporary / path.name
        yield unfinished
        if durable:
            _flush_tree(unfinished)
        unfinished.replace(path)
        if durable:
            _flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush_tree(path: Path) -> None:
    for child in path.rglob("*") if path.is_dir() else ():
        _flush(child)
    _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
