"""Images, videos and documents that are in several splits, or in one twice, by their content."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from rnnpipe.transforms.passes.duplicates import (
    Repeats,
    Tallies,
    count_repeats,
    empty_tallies,
    sum_up,
)
from rnnpipe.transforms.passes.external_sort import external_sort
from rnnpipe.transforms.passes.scratch import scratch_folder, write_lines

_CONTENTS = "contents"

Content = tuple[str, str]
"""What it is (`image`, `video` or `document`), and a hash of what it holds."""


def write_contents(folder: Path, split: str, shard: int, contents: Iterable[Content]) -> None:
    """Leaves the contents of a shard's files where the records are built, each file once."""
    write_lines(folder, _CONTENTS, f"{split}-{shard}", map(json.dumps, contents))


def find_repeated_contents(folder: Path) -> Repeats:
    """How many files hold what another one holds, see `read_duplicates`; none is in memory long."""
    tallies: dict[str, Tallies] = {}
    in_order = external_sort(_read(folder), key=itemgetter(0, 1, 2))
    for (name, _), same in groupby(in_order, key=itemgetter(0, 1)):
        by_split = Counter(split for _, _, split in same)
        if by_split.total() > 1:
            count_repeats(tallies.setdefault(name, empty_tallies()), by_split)
    return sum_up(tallies)


def _read(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(scratch_folder(folder, _CONTENTS).iterdir()):
        split = path.name.rpartition("-")[0]
        with path.open(encoding="utf-8") as file:
            for name, digest in map(json.loads, file):
                yield name, digest, split


def content_notices(repeats: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    """Notices about repeated contents, one sentence each.

    Example:
        >>> repeats = {"image": {"leaks": {"test in train": 12}, "duplicates": {"train": 3}}}
        >>> for sentence in content_notices(repeats):
        ...     print(sentence)
        12 of the images of test are in train too
        3 of the images of train are there before
    """
    notices = []
    for name, kinds in repeats.items():
        for where, number in kinds["leaks"].items():
            later, _, earlier = where.partition(" in ")
            notices.append(f"{number:,} of the {name}s of {later} are in {earlier} too")
        for split, number in kinds["duplicates"].items():
            notices.append(f"{number:,} of the {name}s of {split} are there before")
    return notices
