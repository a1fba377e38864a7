"""Writes the shards of a job on any worker, and what becomes of their rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apache_beam.metrics.metric import Metrics

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.predictors.beam.files import ShardFormat, Write, shard_file
from rnnpipe.predictors.beam.handler import ShardResults
from rnnpipe.predictors.formats import Outcome
from rnnpipe.predictors.input_row import InputRow
from rnnpipe.records.manifest import StoredFile
from rnnpipe.records.worker_file import writing_file
from rnnpipe.transforms.passes.dead_letters import DEAD_LETTER_FOLDER, write_dead_letters
from rnnpipe.transforms.passes.scratch import partial_folder, scratch_folder, write_lines

# What a cluster's own page shows while it works.
_PREDICTED = Metrics.counter("rnnpipe", "rows_predicted")
_DEAD = Metrics.counter("rnnpipe", "dead_letters")

_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What became of the rows of a shard.

    Args:
        shard: its number.
        file: the name of its file.
        predicted: how many rows have a prediction; only these are in the file.
        dead_letters: how many rows have none.
        blank: how many of those predicted are blank lines, which have no answer.
        notes: how many of those predicted have notes: of inputs that are not read as a whole.
        stored: the size and the checksum of the file.
    """

    shard: int
    file: str
    predicted: int
    dead_letters: int
    blank: int
    notes: int
    stored: StoredFile


@dataclass(frozen=True)
class ShardWriter:
    """Writes shards, on any worker.

    Args:
        folder: where predictions are built.
        form: the format of the files.
        write: writes a file of it.
        shards: how many there are.
    """

    folder: Path
    form: ShardFormat
    write: Write
    shards: int

    def __call__(self, shard: ShardResults) -> None:
        """Writes the predictions of a shard, its dead letters, and its summary last."""
        number, first = shard.shard.number, shard.shard.first
        name = shard_file(self.form, number, self.shards)
        outcomes, letters = list[Outcome](), list[DeadLetter]()
        blank = notes = 0
        for row, (read, result) in enumerate(shard.results, first):
            if isinstance(result, UserError):
                letters.append(_make_letter(row, read, result))
                continue
            outcomes.append(Outcome(row, read.columns, result))
            blank += read.inputs is None
            notes += bool(result.notes)
        with writing_file(self.folder / name, partial_folder(self.folder)) as path:
            self.write(path, outcomes)
            stored = StoredFile.of(path)
        if letters:
            write_dead_letters(self.folder, str(number), letters)
        # The summary comes last: by it the shard is known to be finished.
        summary = ShardSummary(number, name, len(outcomes), len(letters), blank, notes, stored)
        write_lines(self.folder, _RESULTS, f"{number}.json", [json.dumps(asdict(summary))])
        _PREDICTED.inc(len(outcomes))
        _DEAD.inc(len(letters))


def _make_letter(number: int, row: InputRow, error: UserError) -> DeadLetter:
    step = "read row" if isinstance(row.inputs, UserError) else "predict row"
    return DeadLetter(str(number), row.where, step, " ".join(str(error).split()))


def read_summaries(folder: Path, known: Mapping[int, ShardSummary]) -> dict[int, ShardSummary]:
    """The summaries of all shards that are finished, by number and in order.

    Args:
        folder: where predictions are built.
        known: those that were read before.
    """
    summaries = dict(known)
    for path in scratch_folder(folder, _RESULTS).glob("*.json"):
        if int(path.stem) not in summaries:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            stored = StoredFile(**content.pop("stored"))
            summaries[content["shard"]] = ShardSummary(**content, stored=stored)
    return dict(sorted(summaries.items()))


def read_letters(folder: Path, shards: Iterable[ShardSummary]) -> Iterator[DeadLetter]:
    """The dead letters of shards, in the order of their rows.

    Args:
        folder: where predictions are built.
        shards: the summaries of all shards, in order.
    """
    for shard in shards:
        if shard.dead_letters:
            path = scratch_folder(folder, DEAD_LETTER_FOLDER) / str(shard.shard)
            with path.open(encoding="utf-8") as file:
                yield from (DeadLetter(**json.loads(line)) for line in file)
