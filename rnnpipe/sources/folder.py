"""A folder of raw data: is it there, which JSON and which images does it hold."""

import gzip
import json
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError

_IMAGE = re.compile(r"(\d+)\.(?:jpe?g|png)$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


def absolute(path: str | Path) -> Path:
    """The path as every worker can use it, whatever folder it runs in."""
    return Path(path).expanduser().absolute()


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
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as fault:
        got = fault.strerror or str(fault)
        fix = "ask for the right to read it"
        raise UserError(str(folder), "a folder that can be listed", got, fix) from fault


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
