"""Parallel text: a file for each language, line by line the same sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import setting
from rnnpipe.sources.folder import check_folder, list_folder
from rnnpipe.sources.raw_files import is_documentation, list_raw
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import (
    FIX_FILES,
    Split,
    check_named,
    find_splits,
    left_out_notices,
    split_of_name,
    unread_folders,
)
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.fields import refer_pair
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import WHOLE, Span, cut_lines, read_lines
from rnnpipe.sources.text.source import TextFolder, TextPairSource

_FIX = "correct data.source"


@dataclass(frozen=True, slots=True)
class ParallelSplit:
    """The files of one split.

    Args:
        split: the split.
        name: what both files are called but for the language.
        source: the file to translate from.
        target: the file to translate to.
        alignment: the file of alignments; None without.
    """

    split: str
    name: str
    source: Path
    target: Path
    alignment: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """All of them."""
        return [path for path in (self.source, self.target, self.alignment) if path is not None]


@dataclass(frozen=True, slots=True)
class ParallelPartition:
    """Lines of both files of a split.

    Args:
        files: those of the split.
        spans: which lines of each of `files.paths`.
    """

    files: ParallelSplit
    spans: tuple[Span, ...]


class Parallel(TextFolder, TextPairSource):
    """Parallel text in files called `<name>.<language>` or `<name>.<language>.gz`.

    Two of the languages that lie there are read. Without `files`, names that begin like `train`,
    `val`, `dev` or `test` stand for those splits (`train.de`, `test_2016_flickr.de.gz`), and a
    single name for training data.

    Lines belong together by their number: files of one split must have equally many. A pair is
    dropped as a dead letter as a whole where either side is empty or no text.

    Raises:
        UserError: both languages are the same, or there is no such encoding.

    Example:
        >>> source = Parallel(path=Path("data/multi30k"), source="de", target="en")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["parallel"] = "parallel"
    source: str = setting(help="the language to translate from: how its files' names end, e.g. de")
    target: str = setting(help="the language to translate to")
    alignments: str | None = setting(
        None,
        "how the names of files with word alignments end, e.g. align: lines in Pharaoh format, 0-0 "
        "2-1; null: there are none",
    )
    files: dict[Split, str] | None = setting(
        None,
        "the name of each split without language, e.g. {test: test_2016_flickr}; null: those that "
        "begin like the split",
    )

    def check(self) -> None:
        """There are two languages, and the encoding exists."""
        if self.source == self.target:
            raise UserError("target", "another language than source", self.target, _FIX)
        if self.alignments in (self.source, self.target):
            expected = "another ending than those of the languages"
            raise UserError("alignments", expected, str(self.alignments), _FIX)
        check_encoding(self.encoding)

    @property
    def has_alignments(self) -> bool:
        """Whether there are files of them."""
        return self.alignments is not None

    @property
    def _languages(self) -> tuple[str, str]:
        return self.source, self.target

    @cached_property
    def _split_files(self) -> list[ParallelSplit]:
        check_folder(self._folder, "parallel text files", "correct data.source.path")
        source, target = self._languages
        files: Mapping[Split, str] | None = self.files
        if files is None:
            names = set.intersection(*(set(self._names(language)) for language in self._languages))
            what = f"files called <name>.{source} and <name>.{target}"
            files = find_splits(self._folder, names, what)
        else:
            check_named(self._folder, files)
        return [
            ParallelSplit(
                split,
                name,
                self._find(name, source),
                self._find(name, target),
                None if self.alignments is None else self._find(name, self.alignments),
            )
            for split, name in files.items()
        ]

    def _names(self, language: str) -> Iterator[str]:
        for name in list_folder(self._folder):
            stem = name.removesuffix(".gz")
            if stem.endswith(f".{language}") and not is_documentation(name):
                yield stem.removesuffix(f".{language}")

    def _find(self, name: str, language: str) -> Path:
        names = [f"{name}.{language}", f"{name}.{language}.gz"]
        found = [path for name in names if (path := self._folder / name).is_file()]
        if len(found) == 1:
            return found[0]
        expected = f"a file {' or '.join(names)}"
        fix = "move one of them away" if found else _FIX
        raise UserError(str(self._folder), expected, "both" if found else "none", fix)

    @property
    def notices(self) -> Sequence[str]:
        """Files of the two languages that are not read, unless a config chose the files."""
        if self.files is not None:
            return []
        read = {path.name for files in self._split_files for path in files.paths}
        left = [name for name in list_raw(self._folder).files if self._is_ours(name)]
        fix = f"each needs a file of the other language, and a name of a split, or {FIX_FILES}"
        return left_out_notices([*set(left) - read, *unread_folders(self._folder)], fix)

    def _is_ours(self, name: str) -> bool:
        """Whether a file may be of one of the two languages: `a.de`, but also `test.de.GZ`."""
        words = name.lower().split(".")
        if is_documentation(name):
            return False
        return any(
            name.removesuffix(".gz").endswith(f".{language}")
            or (split_of_name(name) is not None and language.lower() in words)
            for language in self._languages
        )

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(files.split for files in self._split_files)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which files are which, and how they are read."""
        source, target = self._languages
        names = {files.split: files.name for files in self._split_files}
        settings = {"source": source, "target": target, "names": names, "encoding": self.encoding}
        return settings if self.alignments is None else {**settings, "alignments": self.alignments}

    def prepare(self, progress: Progress) -> None:
        """Checks that all files are there and those of a split are equally long; see `Source`."""
        for done, files in enumerate(self._split_files, start=1):
            counts = {path: check_text_file(path, self.encoding) for path in files.paths}
            if len({*counts.values()}) > 1:
                shown = [f"{count:,} in {path.name}" for path, count in counts.items()]
                raise _unequal(files, f"{', '.join(shown[:-1])} and {shown[-1]}")
            progress(done, len(self._split_files))

    def partitions(self) -> list[ParallelPartition]:
        """Some thousands of lines each; a split of which a file is gzipped is one partition."""
        partitions = []
        for files in self._split_files:
            spans = [cut_lines(path) for path in files.paths]
            if len({*map(len, spans)}) > 1:
                spans = [[WHOLE]] * len(spans)
            partitions += [ParallelPartition(files, each) for each in zip(*spans, strict=True)]
        return partitions

    def read(self, partition: ParallelPartition) -> Iterator[Reference | DeadLetter]:
        """The pairs of a partition.

        Yields:
            References with the fields of `PairFields`, and dead letters for pairs of which a side
            is empty, too long or no text.

        Raises:
            UserError: a file has become longer or shorter than the other one since `prepare`.
        """
        files = partition.files
        lines = (
            read_lines(path, self.encoding, span)
            for path, span in zip(files.paths, partition.spans, strict=True)
        )
        names = ("source", "target", "alignment")
        for row in zip_longest(*lines):
            if None in row:
                raise _unequal(files, "one that has changed meanwhile")
            key = f"{files.name}:{row[0][0]}"
            try:
                for _, line in row:
                    if isinstance(line, BadRecord):
                        raise line
                fields = {name: line for name, (_, line) in zip(names, row, strict=False)}
                yield refer_pair(key, files.split, **fields)
            except BadRecord as bad:
                yield DeadLetter(key, files.source.name, bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """The files of all splits, both languages, and alignments."""
        for files in self._split_files:
            yield from files.paths


def _unequal(files: ParallelSplit, got: str) -> UserError:
    aligned = " and the alignments" if files.alignment is not None else ""
    return UserError(
        f"{files.source.parent / files.name}",
        f"the same number of lines in both languages{aligned}",
        got,
        "get both files again, or correct them: line by line they must be translations",
    )
