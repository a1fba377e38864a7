"""Files and folders that appear whole or not at all: written beside, then renamed."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnpipe.storage.leftovers import unfinished_folder


@contextmanager
def atomic_path(
    path: Path, *, partial_folder: Path | None = None, durable: bool = False
) -> Iterator[Path]:
    """Yields an unfinished path, which is renamed to `path` when the block ends.

    The unfinished path has the name of `path`, and with it its suffix, in an `unfinished_folder`
    `<name>.incomplete-…`. That folder is removed when the block raises. A killed process leaves it,
    and the next `atomic_path` beside it removes it, whatever its path is.
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
    folder = partial_folder or path.parent
    with _naming(path), unfinished_folder(folder, path.name, mode=0o700) as temporary:
        unfinished = temporary / path.name
        yield unfinished
        if durable:
            _flush_tree(unfinished)
        unfinished.replace(path)
        if durable:
            _flush(path.parent)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Names the file in an error of the block that names none, as of a full disk."""
    try:
        yield
    except OSError as fault:
        if fault.filename is None and fault.errno is not None:
            fault.filename = str(path)
        raise


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


def json_text(content: Mapping[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def jsonl_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file, wholly or not at all."""
    write_text(path, json_text(content))


def write_text(path: Path, text: str) -> None:
    """Writes a text file, wholly or not at all."""
    with atomic_path(path, durable=True) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
