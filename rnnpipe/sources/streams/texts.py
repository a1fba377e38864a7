"""One long text, or a folder of them, as streams."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.folder import absolute, list_folder
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import split_of_name
from rnnpipe.sources.streams.spans import SpanFields, cut, cut_before
from rnnpipe.sources.text.lines import check_encoding, check_text_file

_WINDOW = 1 << 16  # bytes before the end of a span in which a line should end


@dataclass(frozen=True, slots=True)
class StreamSplit:
    """Some of a file.

    Args:
        split: the split that it is read for.
        name: what its documents' names begin with.
        path: the file.
        start: where it begins, in bytes.
        stop: where it ends, in bytes.
    """

    split: str
    name: str
    path: Path
    start: int
    stop: int


class TextStreams:
    """Files of text, each of which is read as it is, from its start to its end.

    A folder whose files are called after splits (`wiki.train.tokens`, `valid.txt`) is split so. Of
    a single document the last shares are held out, by position. Of several ones, whole documents
    are held out by the build.

    Args:
        path: a file, or a folder, of which all files that end in `.txt` or `.tokens` are read.
        begin: a regular expression for the lines with which a new document begins; without it, a
            file is a document.
        shares: the shares of a single document's end that are held out, by split.
        encoding: of all files.

    Raises:
        UserError: there is no such encoding, or `begin` is no regular expression.

    Example:
        >>> source = TextStreams("data/tinyshakespeare/input.txt", shares={"validation": 0.1})
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind = "text"

    def __init__(
        self,
        path: str | Path,
        *,
        begin: str | None = None,
        shares: Mapping[str, float] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self._path, self._begin = absolute(path), _compile(begin)
        self._shares = {split: share for split, share in (shares or {}).items() if share}
        self._encoding = check_encoding(encoding)

    @cached_property
    def _files(self) -> dict[str, Path]:
        """By name; that of a single file is its own."""
        if self._path.is_file():
            return {self._path.name: self._path}
        names = [n for n in list_folder(self._path) if n.endswith((".txt", ".tokens"))]
        if not names:
            got = "none" if self._path.is_dir() else "nothing there"
            expected = "a text file, or a folder with files that end in .txt or .tokens"
            raise UserError(str(self._path), expected, got, "correct data.source.path")
        return {name: self._path / name for name in names}

    @cached_property
    def _splits(self) -> dict[str, str] | None:
        """The split of each file by its name, where the names tell."""
        splits = {name: split_of_name(name) for name in self._files}
        named = {name: split for name, split in splits.items() if split}
        return named if len(named) == len(splits) and "train" in named.values() else None

    @cached_property
    def _split_files(self) -> list[StreamSplit]:
        if self._splits is not None:
            return [
                StreamSplit(split, name, self._files[name], 0, self._files[name].stat().st_size)
                for name, split in self._splits.items()
            ]
        if len(self._files) == 1 and self._begin is None:
            ((name, path),) = self._files.items()
            return list(self._divide(name, path))
        return [
            StreamSplit("train", name, path, 0, path.stat().st_size)
            for name, path in self._files.items()
        ]

    def _divide(self, name: str, path: Path) -> Iterator[StreamSplit]:
        """A single document by position: the training split, then what is held out."""
        size, start, share = path.stat().st_size, 0, 1 - sum(self._shares.values())
        shares = {"train": 0.0, **self._shares}
        with path.open("rb") as file:
            for split, more in shares.items():
                share += more
                stop = round(size * share)
                if stop < size:
                    stop = cut_before(file, max(start, stop - _WINDOW), stop)
                yield StreamSplit(split, f"{name}@{split}", path, start, stop)
                start = stop

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(file.split for file in self._split_files)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is read, and how."""
        return {
            "names": list(self._files),
            "begin": self._begin.pattern if self._begin else None,
            "shares": self._shares,
            "encoding": self._encoding,
        }

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there and hold text; see `Source`."""
        for done, path in enumerate(self._files.values(), start=1):
            check_text_file(path)
            progress(done, len(self._files))

    def partitions(self) -> list[StreamSplit]:
        """One for each file, or for each split of a single file."""
        return list(self._split_files)

    def read(self, partition: StreamSplit) -> Iterator[Reference | DeadLetter]:
        """The spans of a split, with the fields of `SpanFields`."""
        with partition.path.open("rb") as file:
            for number, (start, stop) in enumerate(self._documents(partition)):
                document = (
                    partition.name if self._begin is None else f"{partition.name}#{number:06d}"
                )
                for place, (first, last) in enumerate(cut(file, start, stop)):
                    fields: SpanFields = {
                        "document": document,
                        "number": place,
                        "path": str(partition.path),
                        "start": first,
                        "stop": last,
                        "encoding": self._encoding,
                    }
                    # Ten digits, so that a shard sorts the spans by position.
                    key = f"{document}:{place:010d}"
                    yield Reference(key, document, partition.split, dict(fields))

    def _documents(self, partition: StreamSplit) -> Iterator[tuple[int, int]]:
        """Where the documents of a split begin and end, in bytes."""
        if self._begin is None:
            yield partition.start, partition.stop
            return
        first = at = partition.start
        with partition.path.open("rb") as file:
            file.seek(at)
            while at < partition.stop and (line := file.readline(_WINDOW)):
                text = line.decode(self._encoding, errors="replace").rstrip("\r\n")
                if at > first and self._begin.search(text):
                    yield first, at
                    first = at
                at += len(line)
        yield first, partition.stop

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        yield from self._files.values()


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error as fault:
        got = f"{pattern!r} ({fault})"
        fix = "write e.g. '^ = [^=]+ = $'"
        raise UserError("data.source.begin", "a regular expression", got, fix) from fault
