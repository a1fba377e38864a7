"""The subsets in which COCO and data sets on its images are published, and their splits."""

import re
from collections.abc import Mapping
from typing import TypeVar

from rnnpipe.errors import UserError
from rnnpipe.sources.splits import SPLITS, Split, split_of_name

LABELS = ("train", "val", "test")
"""What subsets are called, and how their names begin."""

_LABEL_OF: dict[Split, str] = {"train": "train", "validation": "val", "test": "test"}
_LABEL = re.compile(rf"(?<![a-z])({'|'.join(LABELS)})")
_SPLITS_OF = {1: ("train",), 2: ("train", "test"), 3: SPLITS}

Files = TypeVar("Files")


def label_of(name: str) -> str | None:
    """The label in the name of a subset.

    Example:
        >>> label_of("captions_val2017.json"), label_of("questions.json"), label_of("dev.json")
        ('val', None, 'val')
    """
    if split := split_of_name(name):
        return _LABEL_OF[split]
    found = _LABEL.search(name.lower())
    return found[1] if found else None


def splits_of(subsets: list[str]) -> dict[str, str]:
    """The split that each annotated subset of a data set becomes.

    Published data sets often keep their test answers to themselves, and scores are then reported on
    their validation subset; the build holds splits that are missing out of `train`.

    Args:
        subsets: names of subsets in the order train, validation, test, those that are there.

    Example:
        >>> splits_of(["train2014", "val2014"])
        {'train2014': 'train', 'val2014': 'test'}
        >>> splits_of(["val2014"])
        {'val2014': 'train'}

    Raises:
        UserError: there are several, and none is for training.
    """
    if len(subsets) > 1 and label_of(subsets[0]) in ("val", "test"):
        fix = "name the files of each split in data.source.files"
        raise UserError("data.source", "a subset to train on", " and ".join(subsets), fix)
    return dict(zip(subsets, _SPLITS_OF[len(subsets)], strict=True))


def check_named(files: Mapping[Split, Files]) -> list[tuple[Split, Files]]:
    """The files of each split that a config names, in the order of the splits.

    Raises:
        UserError: there is nothing to train on, or a split has another name.
    """
    if "train" not in files or not files.keys() <= set(SPLITS):
        expected = "files for 'train', and for 'validation' and 'test' where there are such"
        got = ", ".join(map(repr, files)) or "none"
        raise UserError("data.source.files", expected, got, "name the files of each split")
    return [(split, files[split]) for split in SPLITS if split in files]
