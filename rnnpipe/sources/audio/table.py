"""A folder of sounds with a table of their texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.audio.files import find_sounds
from rnnpipe.sources.audio.source import UtteranceFolder
from rnnpipe.sources.audio.utterances import Utterance, make_utterance
from rnnpipe.sources.file_index import FileIndex
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.splits import unused_notices
from rnnpipe.sources.text.named_rows import FileRows, locate, read_split


class UtteranceTable(UtteranceFolder):
    """Sounds with a table of utterances, a row each.

    Several rows may name one file, with the times at which each utterance begins and ends.

    Example:
        >>> source = UtteranceTable(path="data/grid", text="sentence", split="split")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["table"] = "table"
    table: InnerPath = setting(
        Path("utterances.csv"), "a CSV, TSV or JSON lines file with a row for each utterance"
    )
    file: str = setting("file", "its column with the names of the sounds, relative to `path`")
    text: str = setting("text", "its column with the transcripts")
    start: str | None = setting(
        None, "its column with the times at which utterances begin, in seconds; null: none"
    )
    end: str | None = setting(
        None, "its column with the times at which utterances end, in seconds; null: none"
    )
    speaker: str | None = setting(None, "its column with the speakers; null: none")
    split: str | None = setting(None, "its column with the splits; null: none")

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which table and columns are read."""
        return {**super().settings, "table": str(self.table), "columns": self._columns}

    @property
    def _columns(self) -> dict[str, str | None]:
        names = ("file", "text", "start", "end", "speaker", "split")
        return {name: getattr(self, name) for name in names}

    def annotation_files(self) -> Iterator[Path]:
        """The table."""
        yield self.folder / self.table

    def find_items(self) -> Sequence[Utterance | DeadLetter]:
        """See `ListedFolder`."""
        check_folder(self.folder, "sounds", "correct data.source.path")
        rows = FileRows(self.folder / self.table, self._columns, "file", "sound")
        found: list[Utterance | DeadLetter] = []
        for number, row in rows:
            name = str(self.table)
            try:
                cells = rows.read_cells(row)
                name = cells["file"]
                found.append(self._make(**cells))
            except BadRecord as bad:
                key = f"{self.table}:{number}"
                found.append(DeadLetter(key, name, bad.step, bad.reason))
        return _check_rows(found)

    @property
    def notices(self) -> Sequence[str]:
        """Sounds that the table does not name, and speakers of several splits."""
        paths = {each.path for each in self.items if isinstance(each, Utterance)}
        dead = {each.source for each in self.items if isinstance(each, DeadLetter)}
        left = [
            name
            for name, path in find_sounds(self.folder)
            if str(path) not in paths and name not in dead
        ]
        return [
            *super().notices,
            *unused_notices(left, (), f"{self.table} does not name"),
        ]

    def _make(self, file: str, split: Any = None, **cells: Any) -> Utterance:
        where = "train" if self.split is None else read_split(split)
        return make_utterance(file, str(locate(self._files, file)), split=where, **cells)

    @cached_property
    def _files(self) -> FileIndex:
        return FileIndex(self.folder)


def _check_rows(found: Sequence[Utterance | DeadLetter]) -> list[Utterance | DeadLetter]:
    """The utterances, dead letters where rows of one differ."""
    rows: dict[tuple[str, float, float | None], set[Utterance]] = {}
    for each in found:
        if isinstance(each, Utterance):
            rows.setdefault(_span_of(each), set()).add(replace(each, name=""))
    checked: list[Utterance | DeadLetter] = []
    for each in found:
        if isinstance(each, DeadLetter) or len(same := rows[_span_of(each)]) == 1:
            checked.append(each)
        else:
            reason = f"{len(same)} rows of it differ"
            checked.append(DeadLetter(each.key, each.name, "read row", reason))
    return checked


def _span_of(utterance: Utterance) -> tuple[str, float, float | None]:
    return utterance.path, utterance.start or 0, utterance.end
