"""A folder of raw data: is it there, which JSON and which images does it hold."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.paths import walk as walk_folders

_IMAGE = re.compile(r"(\d+)\.(?:jpe?g|png)$", re.IGNORECASE)
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png")
_GZIP = b"\x1f\x8b"
_JSON = (".json", ".json.gz")


def absolute(path: str | Path) -> Path:
    """The path as every worker can use it, whatever folder it runs in."""
    return as_path(path).expanduser().absolute()


@cache
def hash_code(*folders: Path) -> str:
    """A hash of the Python files of packages: other code writes another data set."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def check_folder(folder: Path, what: str, fix: str) -> None:
    """Checks that a folder is there.

    Args:
        folder: where the raw data should be.
        what: what it should hold, e.g. `VQA v2.0`.
        fix: where to get it.

    Raises:
        UserError: it is missing, or is a file.
    """
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise UserError(str(folder), f"a folder with {what}", got, fix)


def read_json(path: Path, hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """What a JSON file holds, gzipped or not.

    Args:
        path: the file; that it is gzipped shows in its first bytes, not in its name.
        hook: what becomes of each object (`json.loads`' `object_hook`).

    Raises:
        UserError: the file is missing, unreadable, cut off or no JSON.
    """
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        return json.loads(data, object_hook=hook)
    except (json.JSONDecodeError, RecursionError) as fault:
        got = f"something else ({fault})"
    except UnicodeDecodeError as fault:
        got = f"something else (byte {fault.start} is no text)"
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        got = f"a damaged gzip file ({fault})"
    except OSError as fault:
        got = f"a file that cannot be read ({fault.strerror or fault})"
    raise UserError(str(path), "JSON", got, "download or unpack it again")


def list_folder(folder: Path) -> list[str]:
    """The names of what is in a folder, in order; one that is missing holds nothing.

    Raises:
        UserError: it may not be looked into.
    """
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as fault:
        got = fault.strerror or str(fault)
        fix = "ask for the right to read it"
        raise UserError(str(folder), "a folder that can be listed", got, fix) from fault


def list_images(folder: Path) -> list[str]:
    """The names of the images in a folder, in order; no file is opened."""
    return [name for name in list_folder(folder) if name.lower().endswith(IMAGE_ENDINGS)]


def index_images(folder: Path) -> dict[int, str]:
    """The names of the images in a folder by the number that each ends in.

    `COCO_train2014_000000000009.jpg`, `000000000009.jpg` and `9.png` are all image 9; where several
    are there, the first by name counts. The folder is listed once and no file is opened.

    Args:
        folder: a folder; one that is missing holds nothing.
    """
    names: dict[int, str] = {}
    for name in list_folder(folder):
        if found := _IMAGE.search(name):
            names.setdefault(int(found[1]), name)
    return names


def walk(folder: Path, words: Sequence[str]) -> tuple[dict[str, list[Path]], list[Path]]:
    """The JSON files whose names have a word in them, by that word, and all folders.

    Args:
        folder: where to look, at any depth.
        words: in small letters, whatever the names' are.

    Returns:
        The files in the order of their paths, one that is there packed and unpacked once; the
        folders, those that are not deep first.
    """
    files: dict[str, dict[str, Path]] = {word: {} for word in words}
    folders: list[Path] = []
    for root, children, names in walk_folders(folder):
        folders += (root / child for child in children)
        for name in sorted(name for name in names if name.lower().endswith(_JSON)):
            for word in (word for word in words if word in name.lower()):
                files[word].setdefault(str(root / name).removesuffix(".gz"), root / name)
    shallow_first = sorted(folders, key=lambda path: (len(path.parts), path))
    return {word: sorted(found.values()) for word, found in files.items()}, shallow_first


def image_folders(folder: Path, folders: Sequence[Path], beside: Path, subtype: str) -> list[Path]:
    """Where the images of a split of a data set may be, the likeliest first.

    Args:
        folder: the data set's.
        folders: all that is in it.
        beside: a file of the split, whose neighbours are likelier than others.
        subtype: the split's name, e.g. `train2014`.
    """
    near_first = sorted(folders, key=lambda path: path.parent != beside.parent)
    candidates = [path for path in near_first if path.name == subtype]
    candidates += [folder.parent / subtype, folder.parent / "images" / subtype]
    candidates += [path for path in near_first if path.name.lower() == "images"]
    return [path for path in candidates if path.is_dir()]
