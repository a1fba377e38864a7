"""Batch prediction: rows → shards → predictions of workers → a published folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference

from rnnpipe.errors import UserError
from rnnpipe.predictors.beam.files import ShardFormat, Write
from rnnpipe.predictors.beam.handler import PredictorHandler, ShardRows
from rnnpipe.predictors.beam.places import Place
from rnnpipe.predictors.beam.shards import cut_shards, read_shard, write_shard
from rnnpipe.predictors.beam.write import ShardSummary, ShardWriter, read_letters, read_summaries
from rnnpipe.predictors.rows import RowReader
from rnnpipe.records.layout import DEAD_LETTERS
from rnnpipe.records.publication import publishing
from rnnpipe.storage.atomic import write_json
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.transforms.passes.dead_letters import DeadLetterSummary
from rnnpipe.transforms.passes.scratch import (
    is_stop_requested,
    partial_folder,
    remove_scratch,
    request_stop,
)
from rnnpipe.transforms.runners.polling import poll_in_background
from rnnpipe.transforms.runners.runner import LostWorkerError, Runner

Progress = Callable[[str, int, int, int], None]
"""Called with the stage, the rows done, their total and the dead letters."""

SUMMARY = "summary.json"

_ATTEMPTS = 3
_EARLY_STOP_SECONDS = 10.0  # a shorter job may end, so that all dead letters are reported
_FULL_DISK_FIX = "make room, or let --output and TMPDIR name folders on another disk"


@dataclass(frozen=True)
class BatchPrediction:
    """The prediction of all rows of some places.

    Args:
        model: the folder of a run or an export.
        places: where the rows come from.
        reader: of the rows.
        form: the format of the predictions.
        write: writes a shard of it.
        job: the part of the summary that describes the command.
        rows_per_shard: how many rows a file has.
        max_bad_fraction: the share of rows that may be without a prediction.
    """

    model: str
    places: Sequence[Place]
    reader: RowReader
    form: ShardFormat
    write: Write
    job: Mapping[str, Any]
    rows_per_shard: int = 1000
    max_bad_fraction: float = 0.05

    def run(self, output: Path, runner: Runner, progress: Progress) -> dict[str, Any]:
        """Predicts all rows, and publishes the predictions as `output`, wholly or not at all.

        Args:
            output: a new folder.
            runner: where the pipeline runs; the bytes do not depend on it.
            progress: called with the progress.

        Returns:
            The content of `summary.json`.

        Raises:
            UserError: there are no rows, too many of them have no prediction, the folder cannot be
                written, Beam does not accept the options, or workers were lost again and again.
        """
        with (
            report_full_disk("the predictions", output, _FULL_DISK_FIX),
            publishing(output) as staging,
        ):
            sizes = self._cut(staging.shared, progress)
            done = self._predict_all(staging.shared, sizes, runner, progress)
            letters = _publish_letters(staging.shared, staging.local, done)
            self._reconcile(sizes, done, letters)
            summary = self._summarize(sum(sizes), done, letters)
            write_json(staging.local / SUMMARY, summary)
            remove_scratch(staging.shared)
            staging.written.update({each.file: each.stored for each in done.values()})
        return summary

    def _cut(self, folder: Path, progress: Progress) -> list[int]:
        """Cuts the rows into shards, which wait in files; returns how many rows each has."""
        sizes, rows = list[int](), 0
        progress("reading", 0, 0, 0)
        for shard in cut_shards(self.places, self.rows_per_shard, folder):
            write_shard(folder, shard)
            sizes.append(shard.size)
            rows += shard.size
            progress("reading", rows, 0, 0)
        if not rows:
            raise UserError("--input", "at least one row", "none", "name other files")
        progress("reading", rows, rows, 0)
        return sizes

    def _predict_all(
        self, folder: Path, sizes: Sequence[int], runner: Runner, progress: Progress
    ) -> dict[int, ShardSummary]:
        """Predicts shards until all are done; those of a lost worker are predicted again."""
        total, early = sum(sizes), time.monotonic() + _EARLY_STOP_SECONDS
        done = dict[int, ShardSummary]()

        def report() -> None:
            done.update(read_summaries(folder, done))
            dead = sum(each.dead_letters for each in done.values())
            rows = sum(each.predicted + each.dead_letters for each in done.values())
            progress("predicting", rows, total, dead)
            if dead > self.max_bad_fraction * total and time.monotonic() > early:
                request_stop(folder)

        writer = ShardWriter(folder, self.form, self.write, len(sizes))
        partial_folder(folder)
        for attempt in range(1, _ATTEMPTS + 1):
            remaining = [number for number in range(len(sizes)) if number not in done]
            construct = partial(self._construct, remaining, writer)
            try:
                with poll_in_background(folder, report), runner.open() as run:
                    run(construct)
                break
            except LostWorkerError as fault:
                if attempt == _ATTEMPTS:
                    fix = "predict again; if the memory ran out, with fewer workers"
                    raise UserError("--workers", fault.expected, fault.got, fix) from fault
                report()
        report()
        return dict(sorted(done.items()))

    def _construct(
        self, shards: Sequence[int], writer: ShardWriter, pipeline: beam.Pipeline
    ) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards, reshuffle=True)
            | "Read" >> beam.FlatMap(read_rows, self.reader, writer.folder)
            | "Predict" >> RunInference(PredictorHandler(self.model))
            | "Write" >> beam.Map(writer)
        )

    def _reconcile(
        self,
        sizes: Sequence[int],
        done: Mapping[int, ShardSummary],
        letters: DeadLetterSummary,
    ) -> None:
        """Rows read = rows predicted + dead letters, of each shard, or nothing is published."""
        dead, rows = letters.total, sum(sizes)
        if letters.first and dead > self.max_bad_fraction * rows:
            at_least = "at least " if len(done) < len(sizes) else ""
            raise UserError(
                "--max-bad-fraction",
                f"at most {self.max_bad_fraction:g} of the rows to have no prediction",
                f"{at_least}{dead} of {rows} ({letters.describe()}; the first is "
                f"{letters.first.source})",
                "correct the input or raise the limit",
            )
        for number, size in enumerate(sizes):
            each = done.get(number)
            got = each.predicted + each.dead_letters if each else 0
            if got != size:
                first = sum(sizes[:number]) + 1
                raise UserError(
                    "--input",
                    f"{size} rows from row {first} on, predicted or dead letters",
                    f"{got}",
                    "the runner lost rows, or the input changed meanwhile: predict again",
                )

    def _summarize(
        self, total: int, done: Mapping[int, ShardSummary], letters: DeadLetterSummary
    ) -> dict[str, Any]:
        return {
            **self.job,
            "read": total,
            "predicted": sum(each.predicted for each in done.values()),
            "dead_letters": letters.steps,
            "dead_letter_reasons": letters.reasons,
            "blank": sum(each.blank for each in done.values()),
            "with_notes": sum(each.notes for each in done.values()),
            "notices": [notice for place in self.places for notice in place.notices],
            "shards": [
                {k: v for k, v in asdict(each).items() if k not in ("shard", "stored")}
                for each in done.values()
            ],
        }


def read_rows(number: int, reader: RowReader, folder: Path) -> list[ShardRows]:
    """The rows of a shard; nothing once the job is to stop."""
    if is_stop_requested(folder):
        return []
    shard = read_shard(folder, number)
    return [ShardRows(shard, list(shard.read(reader)))]


def _publish_letters(
    folder: Path, local: Path, done: Mapping[int, ShardSummary]
) -> DeadLetterSummary:
    """Writes all dead letters into one file, in order."""
    summary = DeadLetterSummary()
    with (local / DEAD_LETTERS).open("w", encoding="utf-8") as file:
        for letter in read_letters(folder, done.values()):
            summary.add(letter)
            file.write(json.dumps(asdict(letter), ensure_ascii=False) + "\n")
    return summary
