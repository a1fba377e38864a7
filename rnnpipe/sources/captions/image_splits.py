"""The split of each image, where lists or a file of all images say it."""

from collections.abc import Hashable, Iterable
from functools import cached_property

from rnnpipe.errors import BadRecord
from rnnpipe.sources.raw_files import fold_name

_STEP = "find split"


class ImageSplits:
    """The split of each image by its name or number.

    An image that is in two splits is in neither: a test image that is trained on too says nothing.

    Args:
        pairs: images and the split that each is in.
        missing: what is wrong with other images, for dead letters.

    Example:
        >>> splits = ImageSplits([("1.jpg", "train"), ("2.jpg", "test")], "no list has it")
        >>> splits.find("2.jpg"), sorted(splits.names)
        ('test', ['test', 'train'])
    """

    def __init__(self, pairs: Iterable[tuple[Hashable, str]], missing: str) -> None:
        self._splits: dict[Hashable, tuple[str, ...]] = {}
        self._missing = missing
        for image, split in pairs:
            before = self._splits.setdefault(_fold(image), (split,))
            if split not in before:
                self._splits[_fold(image)] = (*before, split)

    def __len__(self) -> int:
        return len(self._splits)

    @cached_property
    def names(self) -> frozenset[str]:
        """The splits that have an image."""
        return frozenset(splits[0] for splits in self._splits.values() if len(splits) == 1)

    def find(self, image: Hashable) -> str:
        """The split of an image.

        Raises:
            BadRecord: it is in none, or in several (step `find split`).
        """
        splits = self._splits.get(_fold(image), ())
        if not splits:
            raise BadRecord(_STEP, self._missing)
        if len(splits) > 1:
            raise BadRecord(_STEP, f"it is in {' and in '.join(sorted(splits))}")
        return splits[0]


def _fold(image: Hashable) -> Hashable:
    return fold_name(image) if isinstance(image, str) else image
