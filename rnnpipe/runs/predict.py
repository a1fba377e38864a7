"""Predictions for the inputs of a Python call."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rnnpipe.errors import Faults, UserError
from rnnpipe.output import write_notice
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor

_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")


def predict_keywords(
    predictor: Predictor, inputs: Mapping[str, Any]
) -> Prediction | list[Prediction]:
    """The prediction for the inputs of a Python call, or a list of them for a batch.

    Args:
        predictor: that of the run.
        inputs: by keyword, e.g. `n_best`; a list has a value for each row of the batch, anything
            else is the same for all rows.

    Raises:
        UserError: an input is missing, unknown or malformed, or cannot be read, or lists differ in
            length; its `where` is the keyword.
    """
    options = _name_options(inputs)
    batch = _split_batch(options)
    with keyword_errors():
        rows = [options] if batch is None else batch
        predictions = [_check(result) for result in predictor.predict(rows)]
    for prediction in predictions:
        for note in prediction.notes:
            write_notice(replace_options(note))
    return predictions[0] if batch is None else predictions


def stream_keywords(predictor: Predictor, inputs: Mapping[str, Any]) -> Iterator[str]:
    """The answer for the inputs of a Python call, piece by piece.

    Raises:
        UserError: as `predict_keywords`, or the task has no such answers.
    """
    with keyword_errors():
        pieces = predictor.stream(_name_options(inputs))
    return _with_keyword_errors(pieces)


def _with_keyword_errors(pieces: Iterator[str]) -> Iterator[str]:
    with keyword_errors():
        yield from pieces


def _name_options(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {keyword.replace("_", "-"): value for keyword, value in inputs.items()}


def _check(result: Prediction | UserError) -> Prediction:
    if isinstance(result, UserError):
        raise result
    return result


def _split_batch(inputs: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The inputs of each row; None where no input is a list."""
    lengths = {name: len(value) for name, value in inputs.items() if isinstance(value, list)}
    if not lengths:
        return None
    if len(set(lengths.values())) > 1:
        got = " and ".join(f"{length} of {name}" for name, length in lengths.items())
        fix = "give each input one value for each row, or a single value for all"
        raise UserError("batch", "lists of one length", got, fix)
    return [
        {name: value[row] if name in lengths else value for name, value in inputs.items()}
        for row in range(next(iter(lengths.values())))
    ]


@contextmanager
def keyword_errors() -> Iterator[None]:
    """Options of the command line in errors become keywords: `--n-best` is `n_best`."""
    try:
        yield
    except UserError as fault:
        raise name_keywords(fault) from None


def name_keywords(fault: UserError) -> UserError:
    """The same error with keywords in the place of options."""
    if isinstance(fault, Faults):
        return Faults([name_keywords(each) for each in fault.faults])
    return UserError(
        replace_options(fault.where), fault.expected, fault.got, replace_options(fault.fix)
    )


def replace_options(text: str) -> str:
    """The same text with keywords in the place of options: `n_best` of `--n-best`."""
    return _OPTION.sub(lambda option: option[1].replace("-", "_"), text)
