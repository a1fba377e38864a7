"""One long text, or a folder of them, as streams."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.folder import absolute
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.sources.streams.source import StreamSource
from rnnpipe.sources.streams.spans import (
    SpanDecoder,
    SpanFields,
    cut,
    cut_before,
    is_stateful,
    make_decoder,
)
from rnnpipe.sources.streams.stream_files import StreamFiles, find_stream_files
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import check_text_file, is_zipped, open_binary

_TITLE_BYTES = 1 << 16  # of a line are matched with `begin`
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class StreamSplit:
    """A range of a file that belongs to one split.

    Args:
        split: the split.
        name: the prefix of its documents' names.
        path: the file.
        start: its first byte, of what is unpacked.
        stop: the byte after its last one.
    """

    split: str
    name: str
    path: Path
    start: int
    stop: int


class TextStreams(StreamSource):
    """A text file, or a folder of files that end in .txt or .tokens, at any depth.

    Files may be gzipped. A folder with files that are named after splits (`wiki.train.tokens`,
    `valid.txt`, `test/1.txt`) is split so, and others in it are left out. Otherwise all documents
    belong to the training split: the build holds out whole documents, and `hold_out` the end of a
    single one.

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
    def _found(self) -> StreamFiles:
        return find_stream_files(absolute(self.path))

    @property
    def files(self) -> Mapping[str, Path]:
        """The files by name."""
        return self._found.files

    @property
    def notices(self) -> Sequence[str]:
        """Files that are not read, or not as what their names seem to tell."""
        return self._found.notices

    @property
    def single_document(self) -> bool:
        """Whether all of the text is one document."""
        return self._found.splits is None and len(self.files) == 1 and self.begin is None

    def hold_out(self, shares: Mapping[str, float]) -> Source:
        """This source; a single document's last shares become splits, see `DividedText`."""
        return DividedText(text=self, shares=dict(shares)) if shares else self

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset((self._found.splits or {}).values()) or frozenset({"train"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is read, and how."""
        return {"names": list(self.files), "begin": self.begin, "encoding": self.encoding}

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there and hold text; see `Source`."""
        for done, path in enumerate(self.files.values(), start=1):
            check_text_file(path, self.encoding)
            progress(done, len(self.files))

    def partitions(self) -> list[StreamSplit]:
        """One for each file."""
        splits = self._found.splits or dict.fromkeys(self.files, "train")
        return [
            StreamSplit(splits[name], name, path, 0, _text_size(path))
            for name, path in self.files.items()
        ]

    def read(self, partition: StreamSplit) -> Iterator[Reference | DeadLetter]:
        """The spans of a partition, with the fields of `SpanFields`."""
        with open_binary(partition.path) as file:
            decoder = None
            if is_stateful(self.encoding) or is_zipped(file):
                decoder = SpanDecoder(self.encoding)
                if is_stateful(self.encoding):
                    decoder.skip(file, partition.start)
            for number, (start, stop) in enumerate(self._documents(partition)):
                document = (
                    partition.name if self.begin is None else f"{partition.name}#{number:06d}"
                )
                spans = cut(file, start, stop, self.encoding)
                yield from self._spans(partition, document, spans, decoder)

    def _spans(
        self,
        partition: StreamSplit,
        document: str,
        spans: Iterator[tuple[int, bytes]],
        decoder: SpanDecoder | None,
    ) -> Iterator[Reference | DeadLetter]:
        """The spans of a document; a decoder is for those that cannot be read alone."""
        numbers = count()
        for start, raw in spans:
            last = start + len(raw)
            text: str | BadRecord | None = None
            try:
                if decoder is not None:
                    text = decoder.decode(raw, start, is_last=last == partition.stop)
            except BadRecord as bad:
                text = bad
            if text == "":
                continue  # its characters end in a later span
            number = next(numbers)
            # Ten digits, so that a shard sorts the spans by position.
            key = f"{document}:{number:010d}"
            if isinstance(text, BadRecord):
                yield DeadLetter(key, partition.name, text.step, text.reason)
                continue
            fields: SpanFields = {
                "document": document,
                "number": number,
                "path": str(partition.path),
                "start": start,
                "stop": last,
                "encoding": self.encoding,
                "text": text,
            }
            yield Reference(key, document, partition.split, dict(fields))

    def _documents(self, partition: StreamSplit) -> Iterator[tuple[int, int]]:
        """Where the documents of a partition begin and end, in bytes."""
        if self.begin is None:
            yield partition.start, partition.stop
            return
        begin, first, at = re.compile(self.begin), partition.start, partition.start
        decoder = make_decoder(self.encoding, "replace") if is_stateful(self.encoding) else None
        is_start = True
        with open_binary(partition.path) as file:
            file.seek(at)
            while at < partition.stop and (raw := file.readline(_TITLE_BYTES)):
                line = decoder.decode(raw) if decoder else raw.decode(self.encoding, "replace")
                is_end = len(raw) < _TITLE_BYTES or raw.endswith(b"\n")
                # A line that goes on must not match a pattern for its end.
                line = line.rstrip("\r\n") if is_end else f"{line}…"
                if is_start and at > first and begin.search(line):
                    yield first, at
                    first = at
                at, is_start = at + len(raw), is_end
        yield first, partition.stop

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        yield from self.files.values()


def _text_size(path: Path) -> int:
    """How many bytes a file has when it is unpacked."""
    with open_binary(path) as file:
        if is_zipped(file):
            return sum(map(len, iter(partial(file.read, _CHUNK), b"")))
    return path.stat().st_size


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

    @property
    def notices(self) -> Sequence[str]:
        """What is not read."""
        return self.text.notices

    def partitions(self) -> list[StreamSplit]:
        """One for each split of a single document, or for each file."""
        partitions = self.text.partitions()
        return list(self._divide(partitions[0])) if self.text.single_document else partitions

    def _divide(self, whole: StreamSplit) -> Iterator[StreamSplit]:
        """The training split, then what is held out."""
        start, share = 0, 1 - sum(self.shares.values())
        with open_binary(whole.path) as file:
            for split, more in {"train": 0.0, **self.shares}.items():
                share += more
                stop = round(whole.stop * share)
                if stop < whole.stop:
                    stop = cut_before(file, start, stop, self.text.encoding)
                yield StreamSplit(split, f"{whole.name}@{split}", whole.path, start, stop)
                start = stop

    def read(self, partition: StreamSplit) -> Iterator[Reference | DeadLetter]:
        """The spans of a partition; see `TextStreams.read`."""
        return self.text.read(partition)

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        return self.text.raw_files()
