"""Which split a file stands for, by its name."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from rnnpipe.errors import UserError
from rnnpipe.sources.raw_files import fold_name, list_raw

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = get_args(Split)

FIX_FILES = "name one file for each split in data.source.files"

_SHOWN = 8  # names in a notice
_RECORDS = "dataset_info.json"  # is in each records directory

_SPLIT_OF_WORD: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "newstest"), "test"),
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def split_of_name(name: str) -> Split | None:
    """The split that a file or folder is called after, if any: by the first word that names one.

    Words end where letters do, or where a capital follows a small one.

    Example:
        >>> [split_of_name(name) for name in ("train.en.gz", "test_2016_flickr", "europarl-v7")]
        ['train', 'test', None]
        >>> split_of_name("TREC.train"), split_of_name("dev.tsv"), split_of_name("newstest2014")
        ('train', 'validation', 'test')
        >>> split_of_name("testimonials.csv"), split_of_name("testImages")
        (None, 'test')
    """
    words = (word.lower().removesuffix("set") for word in _WORD.findall(name))
    return next((_SPLIT_OF_WORD[word] for word in words if word in _SPLIT_OF_WORD), None)


def find_splits(folder: Path, names: Iterable[str], what: str) -> dict[Split, str]:
    """The name that stands for each split; one name alone is `train`, whatever it is.

    Args:
        folder: where the names were found, for the message.
        names: of files, or what files have in common.
        what: what is looked for, e.g. `files called <name>.de and <name>.en`.

    Raises:
        UserError: there are none, none is training data, or several stand for one split.
    """
    found: dict[Split, list[str]] = {}
    names = sorted(names)
    if len(names) == 1:
        return {"train": names[0]}
    for name in names:
        if split := split_of_name(name):
            found.setdefault(split, []).append(name)
    for split, several in found.items():
        if len(several) > 1:
            got = ", ".join(several)
            raise UserError(str(folder), f"one of {what} for the split {split}", got, FIX_FILES)
    if "train" not in found:
        got = ", ".join(names) if names else "none"
        fix = FIX_FILES if names else "correct data.source.path"
        raise UserError(str(folder), f"{what}, one of them for training", got, fix)
    return {split: several[0] for split, several in found.items()}


def left_out_notices(names: Iterable[str], fix: str) -> list[str]:
    """A notice of what is not read, or none where there is no such name.

    Args:
        names: of what is not read.
        fix: what to write to have it read.

    Example:
        >>> left_out_notices(["unsupervised"], "name it in data.source.splits")
        ['data.source: unsupervised is not read; name it in data.source.splits']
    """
    left = sorted(names)
    more = f" and {len(left) - _SHOWN:,} more" if len(left) > _SHOWN else ""
    verb = "is" if len(left) == 1 else "are"
    notice = f"data.source: {', '.join(left[:_SHOWN])}{more} {verb} not read; {fix}"
    return [notice] if left else []


def unused_notices(there: Iterable[str], used: Iterable[str], what: str) -> list[str]:
    """A notice of what no record is made of, or none where there is no such name.

    Args:
        there: all names.
        used: those of records, in whatever form accents have.
        what: what is missing, before the names.

    Example:
        >>> unused_notices(["1.jpg", "2.jpg"], ["1.jpg"], "x.token.txt does not name")
        ['data.source: x.token.txt does not name 2.jpg, not read']
    """
    known = set(map(fold_name, used))
    left = sorted({name for name in there if fold_name(name) not in known})
    more = f" and {len(left) - _SHOWN:,} more" if len(left) > _SHOWN else ""
    return [f"data.source: {what} {', '.join(left[:_SHOWN])}{more}, not read"] if left else []


def split_like(folder: Path) -> list[str]:
    """The files in a folder that are called after a split, whatever their format.

    Some may be of a format that is not read, such as `test.csv.zip`.
    """
    return [name for name in list_raw(folder).files if split_of_name(name)]


def unread_folders(folder: Path) -> list[str]:
    """The folders in a folder of which only files are read, without records that were built there.

    They are written with a slash, for `left_out_notices`.
    """
    names = list_raw(folder).folders
    return [f"{name}/" for name in names if not (folder / name / _RECORDS).is_file()]


def check_named(folder: Path, files: Mapping[Split, str | Path]) -> None:
    """Checks that the splits named in a config have a training split.

    Raises:
        UserError: they have none.
    """
    if "train" not in files:
        got = ", ".join(files) or "nothing"
        fix = "name the training file in data.source.files"
        raise UserError(f"{folder}", "a file for the split train", got, fix)


def split_files(
    folder: Path, files: Mapping[Split, str | Path] | None, candidates: Iterable[str], what: str
) -> dict[Split, Path]:
    """The file of each split: the one that is named, or else the one that is called after it.

    Args:
        folder: where they lie.
        files: the names of a config, relative to the folder.
        candidates: the names to choose from without `files`.
        what: what is looked for, for the message.

    Raises:
        UserError: see `find_splits`.
    """
    if files is None:
        files = find_splits(folder, candidates, what)
    check_named(folder, files)
    return {split: folder / name for split, name in files.items()}


def name_of(path: Path, folder: Path) -> str:
    """What a file is called in keys: its path from the folder, the same on every machine."""
    return Path(os.path.relpath(path, folder)).as_posix()
