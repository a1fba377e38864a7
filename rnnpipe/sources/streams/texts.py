"""One long text, or a folder of them, as streams."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.folder import absolute, list_folder
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.sources.splits import split_of_name
from rnnpipe.sources.streams.source import StreamSource
from rnnpipe.sources.streams.spans import SpanFields, cut, cut_before
from rnnpipe.sources.text.lines import check_encoding, check_text_file

_WINDOW = 1 << 16  # bytes before the end of a span in which a line should end


@dataclass(frozen=True, slots=True)
class StreamSplit:
    """A range of a file that belongs to one split.

    Args:
        split: the split.
        name: the prefix of its documents' names.
        path: the file.
        start: its first byte.
        stop: the byte after its last one.
    """

    split: str
    name: str
    path: Path
    start: int
    stop: int


class TextStreams(StreamSource):
    """A text file, or a folder of files that end in .txt or .tokens.

    A folder whose files are named after splits (`wiki.train.tokens`, `valid.txt`) is split so.
    Otherwise all documents belong to the training split: the build holds out whole documents, and
    `hold_out` the end of a single one.

    Raises:
        UserError: there is no such encoding, or `begin` is no regular expression.

    Example:
        >>> source = TextStreams(path=Path("data/wikitext-2"), begin="^ = [^=]+ = $")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["text"] = "text"
    path: FilePath = setting(help="the file or folder")
    begin: str | None = setting(
        None,
        "a regular expression for the lines with which a document begins, e.g. '^ = [^=]+ = $'; "
        "null: each file is a document",
    )
    encoding: str = setting("utf-8", "of the files, e.g. iso-8859-1")

    def check(self) -> None:
        """The encoding exists, and `begin` is a regular expression."""
        check_encoding(self.encoding)
        try:
            re.compile(self.begin or "")
        except re.error as fault:
            expected, got = "a regular expression", f"{self.begin!r} ({fault})"
            raise UserError("begin", expected, got, "write e.g. '^ = [^=]+ = $'") from fault

    @cached_property
    def files(self) -> dict[str, Path]:
        """The files by name."""
        path = absolute(self.path)
        if path.is_file():
            return {path.name: path}
        names = [n for n in list_folder(path) if n.endswith((".txt", ".tokens"))]
        if not names:
            got = "none" if path.is_dir() else "nothing there"
            expected = "a text file, or a folder with files that end in .txt or .tokens"
            raise UserError(str(path), expected, got, "correct data.source.path")
        return {name: path / name for name in names}

    @cached_property
    def _splits(self) -> Mapping[str, str] | None:
        """The split of each file, where all are named after one."""
        splits = {name: split_of_name(name) for name in self.files}
        named: dict[str, str] = {name: split for name, split in splits.items() if split}
        return named if len(named) == len(splits) and "train" in named.values() else None

    @property
    def single_document(self) -> bool:
        """Whether all of the text is one document."""
        return self._splits is None and len(self.files) == 1 and self.begin is None

    def hold_out(self, shares: Mapping[str, float]) -> Source:
        """This source; a single document's last shares become splits, see `DividedText`."""
        return DividedText(text=self, shares=dict(shares)) if shares else self

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset((self._splits or {}).values()) or frozenset({"train"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is read, and how."""
        return {"names": list(self.files), "begin": self.begin, "encoding": self.encoding}

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there and hold text; see `Source`."""
        for done, path in enumerate(self.files.values(), start=1):
            check_text_file(path)
            progress(done, len(self.files))

    def partitions(self) -> list[StreamSplit]:
        """One for each file."""
        splits = self._splits or dict.fromkeys(self.files, "train")
        return [
            StreamSplit(splits[name], name, path, 0, path.stat().st_size)
            for name, path in self.files.items()
        ]

    def read(self, partition: StreamSplit) -> Iterator[Reference | DeadLetter]:
        """The spans of a partition, with the fields of `SpanFields`."""
        with partition.path.open("rb") as file:
            for number, (start, stop) in enumerate(self._documents(partition)):
                document = (
                    partition.name if self.begin is None else f"{partition.name}#{number:06d}"
                )
                for place, (first, last) in enumerate(cut(file, start, stop)):
                    fields: SpanFields = {
                        "document": document,
                        "number": place,
                        "path": str(partition.path),
                        "start": first,
                        "stop": last,
                        "encoding": self.encoding,
                    }
                    # Ten digits, so that a shard sorts the spans by position.
                    key = f"{document}:{place:010d}"
                    yield Reference(key, document, partition.split, dict(fields))

    def _documents(self, partition: StreamSplit) -> Iterator[tuple[int, int]]:
        """Where the documents of a partition begin and end, in bytes."""
        if self.begin is None:
            yield partition.start, partition.stop
            return
        begin = re.compile(self.begin)
        first = at = partition.start
        with partition.path.open("rb") as file:
            file.seek(at)
            while at < partition.stop and (line := file.readline(_WINDOW)):
                text = line.decode(self.encoding, errors="replace").rstrip("\r\n")
                if at > first and begin.search(text):
                    yield first, at
                    first = at
                at += len(line)
        yield first, partition.stop

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        yield from self.files.values()


class DividedText(Source):
    """A text of which a single document's end is held out, by position."""

    kind: Literal["text"] = "text"
    text: TextStreams = setting(help="the whole text")
    shares: dict[str, float] = setting(help="the share of each split that is held out")

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that are made, or those that the raw data itself gives."""
        if self.text.single_document:
            return frozenset({"train", *self.shares})
        return self.text.split_names

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is read, how, and how it is divided."""
        return {**self.text.settings, "shares": self.shares}

    def prepare(self, progress: Progress) -> None:
        """Checks the files; see `Source`."""
        self.text.prepare(progress)

    def partitions(self) -> list[StreamSplit]:
        """One for each split of a single document, or for each file."""
        partitions = self.text.partitions()
        return list(self._divide(partitions[0])) if self.text.single_document else partitions

    def _divide(self, whole: StreamSplit) -> Iterator[StreamSplit]:
        """The training split, then what is held out."""
        start, share = 0, 1 - sum(self.shares.values())
        with whole.path.open("rb") as file:
            for split, more in {"train": 0.0, **self.shares}.items():
                share += more
                stop = round(whole.stop * share)
                if stop < whole.stop:
                    stop = cut_before(file, max(start, stop - _WINDOW), stop)
                yield StreamSplit(split, f"{whole.name}@{split}", whole.path, start, stop)
                start = stop

    def read(self, partition: StreamSplit) -> Iterator[Reference | DeadLetter]:
        """The spans of a partition; see `TextStreams.read`."""
        return self.text.read(partition)

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        return self.text.raw_files()
