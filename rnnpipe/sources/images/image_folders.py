"""A folder for each class, with an image in each file."""

from pathlib import Path
from typing import Literal

from rnnpipe.sources.class_folders import ClassFolders
from rnnpipe.sources.images.source import ImageClassSource
from rnnpipe.sources.source import Reference
from rnnpipe.storage.endings import IMAGE_ENDINGS


class ImageFolders(ClassFolders, ImageClassSource):
    """Images as files in a folder for each class, e.g. `train/cat/17.jpg`.

    Folders of classes lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data. References have the fields `image`, the path of the file,
    and `label`. An image is opened by the worker that stores it.

    Example:
        >>> source = ImageFolders(path="data/flowers")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["image_folders"] = "image_folders"
    endings = IMAGE_ENDINGS

    def refer(self, path: Path, name: str, split: str, label: str) -> Reference:
        """The place of an image; see `ClassFolders`."""
        return Reference(name, name, split, {"image": str(path), "label": label})
