"""Questions in the format of the TREC question classification data."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import setting
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.source import Reference
from rnnpipe.sources.splits import (
    Split,
    name_of,
    split_files,
)
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.lines import read_lines
from rnnpipe.sources.text.source import TextClassSource
from rnnpipe.sources.text.split_files import SplitFile, SplitFiles

_LINE = re.compile(r"([^\s:]+):(\S+)\s+(.*)", re.DOTALL)
_OFFICIAL: dict[Split, str] = {"train": "train_5500.label", "test": "TREC_10.label"}
_ENDINGS = (".train", ".test", ".dev", ".val", ".label", ".txt")
_SUFFIXES = tuple(f"{ending}{gz}" for ending in _ENDINGS for gz in ("", ".gz"))


class Trec(SplitFiles[SplitFile], TextClassSource):
    """Questions, each on a line after its class: `NUM:date When was Algeria colonized ?`.

    The published files are ISO-8859-1: read as UTF-8 a few of their lines would be dead letters.

    Without `files` they are `train_5500.label` and `TREC_10.label`, or have the name of a split
    (`TREC.train`).

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = Trec(path=Path("data/trec_questions"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Li and Roth, "Learning Question Classifiers" (2002).
    """

    suffixes: ClassVar = _SUFFIXES

    kind: Literal["trec"] = "trec"
    encoding: str = setting("iso-8859-1", "of the files; the published ones are not UTF-8")
    labels: Literal["coarse", "fine"] = setting(
        "coarse", "whether a class is e.g. NUM (coarse) or NUM:date (fine)"
    )

    def find_files(self) -> list[SplitFile]:
        """See `SplitFiles`."""
        check_folder(self._folder, "TREC questions", "correct data.source.path")
        files: Mapping[Split, str | Path] | None = self.files or self._official
        found = split_files(self._folder, files, self.names, "TREC's files")
        return [SplitFile(split, path) for split, path in found.items()]

    @property
    def _official(self) -> dict[Split, str] | None:
        """The published files, if both are there."""
        found = {
            split: [name for name in (known, f"{known}.gz") if name in self.names]
            for split, known in _OFFICIAL.items()
        }
        if not all(found.values()):
            return None
        for names in found.values():
            if len(names) > 1:
                got, fix = " and ".join(names), "move one of them away"
                raise UserError(str(self._folder), "a file with gzip or without", got, fix)
        return {split: name for split, (name,) in found.items()}

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which files are which, and how they are read."""
        names = {file.split: name_of(file.path, self._folder) for file in self.split_files}
        return {"names": names, "labels": self.labels, "encoding": self.encoding}

    def read(self, partition: SplitFile) -> Iterator[Reference | DeadLetter]:
        """The questions of a file.

        Yields:
            References with the fields of `TextFields`, and dead letters for lines without class or
            question, and those that are no text.
        """
        name = name_of(partition.path, self._folder)
        for number, line in read_lines(partition.path, self.encoding):
            key = f"{name}:{number}"
            try:
                label, text = self._split(line)
                yield refer_text(key, partition.split, text=text, label=label)
            except BadRecord as bad:
                yield DeadLetter(key, name, bad.step, bad.reason)

    def _split(self, line: str | BadRecord) -> tuple[str, str]:
        if isinstance(line, BadRecord):
            raise line
        if not (found := _LINE.fullmatch(line)):
            raise BadRecord("read label", f"no COARSE:fine class before a question: {line!r:.100}")
        coarse, fine, text = found.groups()
        return coarse if self.labels == "coarse" else f"{coarse}:{fine}", text
