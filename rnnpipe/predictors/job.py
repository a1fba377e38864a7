"""Many predictions on their way to the standard output or a file, with progress and a report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.output import write_error, write_notice, write_output
from rnnpipe.predictors.batch import predict_rows
from rnnpipe.predictors.formats import Outcome, Writer
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.predictors.output import OpenOutput, ResumableOutput
from rnnpipe.runs.console import make_console
from rnnpipe.runs.progress import BuildProgress
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor, Result

ResultName = Literal["prediction", "score"]
"""What a row has, for messages."""

_WORK: Mapping[ResultName, str] = {"prediction": "predicting", "score": "scoring"}
_NOTES = 20  # that are written, of all rows
_SECONDS = 1.0  # between two entries of how far a file is


def write_rows(
    predictor: Predictor,
    source: RowSource,
    writer: Writer,
    output: Path | None,
    job: Mapping[str, Any],
    result: ResultName = "prediction",
) -> int:
    """Writes what a predictor makes of rows to a file, or to the standard output.

    Args:
        predictor: what predicts.
        source: the rows.
        writer: the form.
        output: the file; None: the standard output.
        job: what the file depends on beside the rows, see `ResumableOutput`.
        result: what a row has, for messages.

    Returns:
        How many rows have no result; the standard error says why.
    """
    for notice in source.notices:
        write_notice(notice)
    if output is None:
        return write_out(predictor, source, writer, result)
    return write_file(predictor, source, writer, ResumableOutput(output, job), result)


def write_out(
    predictor: Predictor, source: RowSource, writer: Writer, result: ResultName = "prediction"
) -> int:
    """Writes predictions to the standard output, each as soon as it is there.

    Args:
        predictor: what predicts.
        source: the rows.
        writer: the form.
        result: what a row has, for messages.

    Returns:
        How many rows have no prediction; the standard error says why.
    """
    report, failed, number = Report(result), 0, 0
    write_output(writer.header())
    for number, (row, one) in enumerate(predict_rows(predictor, source, source.rows), start=1):
        failed += report.add(row, one)
        write_output(writer.format(Outcome(number, row.columns, one)))
    report.finish(number, failed)
    return failed


def write_file(
    predictor: Predictor,
    source: RowSource,
    writer: Writer,
    output: ResumableOutput,
    result: ResultName = "prediction",
) -> int:
    """Writes predictions to a file, from where it was left on, with a line of progress.

    Args:
        predictor: what predicts.
        source: the rows.
        writer: the form.
        output: the file.
        result: what a row has, for messages.

    Returns:
        How many rows have no prediction, with those of before; the standard error says why.

    Raises:
        UserError: the file cannot be written, or was begun by another command or of other rows.
    """
    report = Report(result)
    with output.resume() as opened, BuildProgress(make_console(stderr=True)) as progress:
        if opened.done.rows:
            write_notice(f"{opened.done.rows:,} rows are done already, and are not done again")
        if opened.lost:
            lost = "rows more were done, but their results are damaged: they are predicted again"
            write_notice(f"{opened.lost:,} {lost}")
        rows = opened.skip(source.rows)
        opened.write_header(writer.header())
        with _collecting(opened) as collect:
            number = opened.done.rows
            for row, one in predict_rows(predictor, source, rows):
                number += 1
                is_error = report.add(row, one)
                collect(row, writer.format(Outcome(number, row.columns, one)), is_error)
                progress(_WORK[result], number, source.total, opened.done.failed)
        done = opened.done
    report.finish(done.rows, done.failed)
    return done.failed


class _Collector:
    """Writes results together, as each entry of how far a file is takes room."""

    def __init__(self, output: OpenOutput) -> None:
        self._output, self._waiting = output, list[tuple[InputRow, str, bool]]()
        self._last = time.monotonic()

    def __call__(self, row: InputRow, text: str, is_error: bool) -> None:
        self._waiting.append((row, text, is_error))
        if time.monotonic() - self._last >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        waiting, self._waiting, self._last = self._waiting, [], time.monotonic()
        if waiting:
            self._output.write(waiting)


@contextmanager
def _collecting(output: OpenOutput) -> Iterator[_Collector]:
    collector = _Collector(output)
    try:
        yield collector
    finally:  # what is predicted is kept, whatever ends the work
        collector.flush()


class Report:
    """Tells on the standard error which rows have no result, and what is not read of others.

    Args:
        result: what a row has, e.g. a prediction.
    """

    def __init__(self, result: ResultName) -> None:
        self._result, self._notes, self._blank = result, 0, 0

    def add(self, row: InputRow, result: Result) -> bool:
        """Reports what there is to say of a row; whether it has an error."""
        if isinstance(result, UserError):
            text = " ".join(str(result).split())
            write_error(text if row.where in text else f"{row.where}: {text}")
            return True
        self._blank += row.inputs is None
        self._add_notes(row, result)
        return False

    def _add_notes(self, row: InputRow, prediction: Prediction) -> None:
        for note in prediction.notes:
            self._notes += 1
            if self._notes <= _NOTES:
                write_notice(f"{row.where}: {note}")

    def finish(self, rows: int, failed: int) -> None:
        """Reports the counts that are not zero."""
        if self._notes > _NOTES:
            write_notice(f"and {self._notes - _NOTES:,} notes more")
        if self._blank:
            write_notice(f"{self._blank:,} of {rows:,} lines are blank and have no answer")
        if failed:
            write_error(f"{failed:,} of {rows:,} rows have no {self._result}")
