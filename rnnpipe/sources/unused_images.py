"""The images of folders that no record is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rnnpipe.sources.splits import unused_notices


@dataclass(slots=True)
class _Folder:
    what: str
    images: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


class UnusedImages:
    """The images in folders that none of several splits uses; splits may share a folder.

    It holds no more names than the folders have files, however much the splits list.

    Example:
        >>> unused = UnusedImages()
        >>> unused.add(Path("images"), ["1.jpg", "2.jpg"], ["1.jpg"], "train.json does not list")
        >>> unused.notices()
        ['data.source: train.json does not list 2.jpg, not read']
    """

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}

    def add(self, folder: Path, images: Iterable[str], used: Iterable[str], what: str) -> None:
        """Adds a split.

        Args:
            folder: that holds its images.
            images: the images there that could be the split's.
            used: the files there that it uses.
            what: what is missing, see `unused_notices`; of splits that share a folder, the first's.
        """
        entry = self._folders.setdefault(folder, _Folder(what))
        entry.images.update(images)
        entry.used.update(used)

    def notices(self) -> list[str]:
        """A notice for each folder with images that no split uses."""
        return [
            notice
            for entry in self._folders.values()
            for notice in unused_notices(entry.images, entry.used, entry.what)
        ]
