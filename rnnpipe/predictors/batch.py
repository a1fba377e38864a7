"""Predictions for rows of any number, in their order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor, Result

_BLANK = UserError("a blank line")


def predict_rows(
    predictor: Predictor, source: RowSource, rows: Iterable[InputRow]
) -> Iterator[tuple[InputRow, Result]]:
    """Each row with its prediction or error; a blank line has a prediction without answers.

    The rows of a pipe are predicted as soon as they come: one alone if no other is there yet, else
    all that are there, in batches.

    Args:
        predictor: what predicts.
        source: where the rows come from.
        rows: those of it that are left.
    """
    if source.is_ready is None:
        yield from _pair(predictor, rows)
        return
    most, batch = predictor.window * predictor.batch_size, list[InputRow]()
    for row in rows:
        batch.append(row)
        if len(batch) == most or not source.is_ready():
            yield from _pair(predictor, batch)
            batch = []
    yield from _pair(predictor, batch)


def _pair(predictor: Predictor, rows: Iterable[InputRow]) -> Iterator[tuple[InputRow, Result]]:
    waiting: deque[InputRow] = deque()

    def read() -> Iterator[Mapping[str, Any] | UserError]:
        for row in rows:
            waiting.append(row)
            yield _BLANK if row.inputs is None else row.inputs

    for result in predictor.predict(read()):
        yield waiting.popleft(), Prediction([]) if result is _BLANK else result
