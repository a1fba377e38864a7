"""Predictions for a user's own inputs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnpipe.errors import Faults, UserError
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.inputs import parse_inputs
from rnnpipe.tasks.prediction import Prediction


class GeneratedText(Iterator[str]):
    """A text that is generated piece by piece, as an iterator; `text` generates all of it.

    Args:
        pieces: the pieces as they are generated.

    Example:
        >>> generated = GeneratedText(iter(["to ", "be"]))
        >>> next(generated), generated.text
        ('to ', 'to be')
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self._rest, self._read = iter(pieces), list[str]()

    def __next__(self) -> str:
        piece = next(self._rest)
        self._read.append(piece)
        return piece

    @property
    def text(self) -> str:
        """The whole text, also what the iterator has given out."""
        for _ in self:
            pass
        return "".join(self._read)

    def __str__(self) -> str:
        return self.text


Predicted = Prediction | GeneratedText

_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")


def predict_one(model: Any, task: Task, vocabulary: Path, inputs: Mapping[str, Any]) -> Predicted:
    """The prediction for one input.

    Args:
        model: the trained model.
        task: its task.
        vocabulary: the folder of what the task needs beside the model.
        inputs: by name, as texts of the command line or as Python values.

    Raises:
        UserError: an input is missing, unknown or malformed, or cannot be read; its `where` is
            the option `--<name>`.
    """
    predicted = task.predict(model, vocabulary, parse_inputs(task.name, task.inputs, inputs))
    return predicted if isinstance(predicted, Prediction) else GeneratedText(predicted)


def predict_keywords(
    model: Any, task: Task, vocabulary: Path, inputs: Mapping[str, Any]
) -> Predicted | list[Predicted]:
    """The prediction for the inputs of a Python call, or a list of them for a batch.

    Args:
        model: the trained model.
        task: its task.
        vocabulary: the folder of what the task needs beside the model.
        inputs: by keyword, e.g. `n_best`; a list has a value for each row of the batch, anything
            else is the same for all rows.

    Raises:
        UserError: as `predict_one`, or lists differ in length; its `where` is the keyword.
    """
    options = {keyword.replace("_", "-"): value for keyword, value in inputs.items()}
    batch = _split_batch(options)
    with _keyword_errors():
        if batch is None:
            return _with_keyword_errors(predict_one(model, task, vocabulary, options))
        rows = [predict_one(model, task, vocabulary, row) for row in batch]
    return [_with_keyword_errors(row) for row in rows]


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


def _with_keyword_errors(predicted: Predicted) -> Predicted:
    """The same; what goes wrong while a text is generated names keywords, too."""
    if isinstance(predicted, Prediction):
        return predicted

    def generate() -> Iterator[str]:
        with _keyword_errors():
            yield from predicted

    return GeneratedText(generate())


@contextmanager
def _keyword_errors() -> Iterator[None]:
    """Options of the command line in errors become keywords: `--n-best` is `n_best`."""
    try:
        yield
    except Faults as faults:
        raise Faults([_name_keywords(fault) for fault in faults.faults]) from None
    except UserError as fault:
        raise _name_keywords(fault) from None


def _name_keywords(fault: UserError) -> UserError:
    where, fix = (
        _OPTION.sub(lambda option: option[1].replace("-", "_"), text)
        for text in (fault.where, fault.fix)
    )
    return UserError(where, fault.expected, fault.got, fix)
