"""A folder of raw data: whether it is there, and which JSON it holds."""

import errno
import gzip
import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.sources.raw_files import list_raw, walk_raw
from rnnpipe.storage.json_files import RepeatedKeyError, parse_json
from rnnpipe.storage.paths import as_path, find_impossible
from rnnpipe.storage.whole_files import MAX_WHOLE, read_whole

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_JSON_KINDS = {
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}
_JSON = (".json", ".json.gz")


def absolute(path: str | Path) -> Path:
    """The path as every worker can use it, whatever folder it runs in."""
    return as_path(path).expanduser().absolute()


class InFolder:
    """A mixin of sources: the raw data is in the folder that the setting `path` names."""

    path: Path

    @cached_property
    def _folder(self) -> Path:
        return absolute(self.path)


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
        UserError: the file is missing, unreadable, cut off or no JSON, or an object in it has a key
            twice.
    """
    try:
        data = read_whole(path)
        if data.startswith(_GZIP):
            data = _unpack(data)
        return parse_json(data, hook)
    except RepeatedKeyError as fault:
        expected = "each key of an object once"
        raise UserError(str(path), expected, str(fault), "correct it") from fault
    except UnicodeDecodeError as fault:
        got = f"something else (byte {fault.start} is no text)"
    except ValueError as fault:
        got = f"something else ({fault})"
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        got = f"a damaged gzip file ({fault})"
    except OSError as fault:
        got = f"a file that cannot be read ({fault.strerror or fault})"
    raise UserError(str(path), "JSON", got, "download or unpack it again")


def _unpack(data: bytes) -> bytes:
    """The content of a gzip file; some of a few kilobytes would fill all of the memory.

    Raises:
        OSError: it is larger than a file may be that is read as a whole.
    """
    content = bytearray()
    with gzip.open(BytesIO(data)) as file:
        while chunk := file.read(_CHUNK):
            content += chunk
            if len(content) > MAX_WHOLE:
                raise OSError(errno.EFBIG, f"larger than {MAX_WHOLE:,} bytes when unpacked")
    return bytes(content)


def describe_json(content: Any) -> str:
    """What a JSON value is, for messages about a file that holds another one than it should.

    Example:
        >>> describe_json({"images": []}), describe_json([1, 2]), describe_json(None)
        ("an object with 'images'", 'a list', 'null')
    """
    if isinstance(content, dict):
        return "an object with " + (", ".join(map(repr, list(content)[:8])) or "no keys")
    return _JSON_KINDS[type(content)]


def list_folder(folder: Path) -> list[str]:
    """The names of the files and folders in a folder, in order; see `list_raw`.

    Raises:
        UserError: it may not be listed.
    """
    listing = list_raw(folder)
    return sorted(listing.files + listing.folders)


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
    for root, listing in walk_raw(folder):
        folders += (root / name for name in listing.folders)
        for name in (name for name in listing.files if name.lower().endswith(_JSON)):
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
    return [path for path in candidates if not find_impossible(str(path)) and path.is_dir()]
