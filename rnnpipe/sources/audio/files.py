"""Files of sound: how they are called."""

from collections.abc import Iterator
from pathlib import Path

from rnnpipe.sources.raw_files import walk_raw
from rnnpipe.sources.splits import name_of
from rnnpipe.storage.endings import SOUND_ENDINGS


def is_sound(name: str) -> bool:
    """Whether a file is one of sound, by the ending of its name.

    Example:
        >>> is_sound("a/b.FLAC"), is_sound("b.txt")
        (True, False)
    """
    return name.lower().endswith(SOUND_ENDINGS)


def find_sounds(folder: Path) -> Iterator[tuple[str, Path]]:
    """The sounds in a folder, at any depth: their names relative to it, and their paths.

    Some names may not be UTF-8.
    """
    for root, listing in walk_raw(folder):
        for name in filter(is_sound, listing.files + listing.misnamed):
            yield name_of(root / name, folder), root / name
