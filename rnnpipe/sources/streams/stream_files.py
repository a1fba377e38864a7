"""The files of a folder of long texts, and the split of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.sources.raw_files import is_documentation, walk_raw
from rnnpipe.sources.splits import left_out_notices, split_of_name

_ENDINGS = (".txt", ".tokens", ".txt.gz", ".tokens.gz")
_FIX = "correct data.source.path"
_RECORDS = "dataset_info.json"


@dataclass(frozen=True, slots=True)
class StreamFiles:
    """What is read of a folder.

    Args:
        files: the files by name, which is their path from the folder.
        splits: the split of each, where their names tell it.
        notices: a sentence about what is not read, or is read as something else than it seems.
    """

    files: Mapping[str, Path]
    splits: Mapping[str, str] | None
    notices: Sequence[str]


def find_stream_files(path: Path) -> StreamFiles:
    """A file of text, or those of a folder, at any depth.

    Files whose names or folders tell a split are read as that, if one of them is for training and
    another is not; then others are left out, as is documentation everywhere.

    Raises:
        UserError: there is no text, or the same file is there with gzip and without.
    """
    if path.is_file():
        return StreamFiles({path.name: path}, None, [])
    texts, others = _list(path)
    if not texts:
        got = "none" if path.is_dir() else "nothing there"
        expected = "a text file, or a folder with files that end in .txt or .tokens"
        raise UserError(str(path), expected, got, _FIX)
    for name in texts:
        if f"{name}.gz" in texts:
            got, fix = f"{name} and {name}.gz", "move one of them away"
            raise UserError(str(path), "a file with gzip or without", got, fix)
    notices = left_out_notices(others, "texts end in .txt or .tokens, and README is none")
    splits = {name: split for name in texts if (split := split_of_name(name))}
    if not _are_splits(splits, texts):
        notices += _unsplit_notices(splits, texts)
        return StreamFiles(texts, None, notices)
    beside = texts.keys() - splits.keys()
    notices += left_out_notices(beside, "name it after a split, as the others are")
    return StreamFiles({name: texts[name] for name in texts if name in splits}, splits, notices)


def _list(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The texts in a folder by name, in order, and the names of other files."""
    texts, others = dict[str, Path](), list[str]()
    for root, listing in walk_raw(folder):
        if root != folder and _RECORDS in listing.files:
            continue  # records that were built there
        for name in listing.files:
            inside = (root / name).relative_to(folder).as_posix()
            if name.lower().endswith(_ENDINGS) and not is_documentation(name):
                texts[inside] = root / name
            else:
                others.append(inside)
    return dict(sorted(texts.items())), others


def _are_splits(splits: Mapping[str, str], texts: Mapping[str, Path]) -> bool:
    kinds = set(splits.values())
    return "train" in kinds and (len(kinds) > 1 or len(splits) == len(texts))


def _unsplit_notices(splits: Mapping[str, str], texts: Iterable[str]) -> list[str]:
    """A notice of files that are named after a split and are documents like all others."""
    if not splits or len(list(texts)) == 1:
        return []
    some = ", ".join(sorted(splits)[:3])
    fix = "a folder is divided by names where one is for train and another for validation or test"
    return [f"data.source: {some} is training text like all other files; {fix}"]
