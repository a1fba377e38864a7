"""The forms in which predictions are written: a line, or lines, for each row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, get_args

from rnnpipe.errors import UserError
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Result

OutputFormat = Literal["text", "tsv", "jsonl", "csv"]

_ENDINGS: Mapping[str, OutputFormat] = {
    ".txt": "text",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".csv": "csv",
}
_OWN = ("row", "error")
"""The columns of every table beside those of the inputs and the results."""
_BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\f": "\\f"})


class Outcome(NamedTuple):
    """What is written of one row.

    Args:
        row: its number, from 1.
        columns: what stands in it, by column.
        result: the prediction, or the error of the row.
    """

    row: int
    columns: Mapping[str, Any]
    result: Result


class Writer(Protocol):
    """A form of predictions."""

    def header(self) -> str:
        """What comes before all rows."""

    def format(self, outcome: Outcome) -> str:
        """The lines of one row, each ended."""


def format_of(output: Path) -> OutputFormat:
    """The format of a file, by the suffix of its name.

    Raises:
        UserError: it has another suffix.
    """
    if (ending := output.suffix.lower()) in _ENDINGS:
        return _ENDINGS[ending]
    expected = f"a name that ends in {', '.join(_ENDINGS)}"
    raise UserError(f"--output {output}", expected, output.name, "say which with --format")


def make_writer(
    form: str, columns: Sequence[str], *, n_best: bool = False, alignments: bool = False
) -> Writer:
    """The writer of a form.

    Args:
        form: its name.
        columns: of the inputs.
        n_best: whether text has several answers to a row, as lists of n-best have them.
        alignments: whether JSON lines have the attention weights.

    Raises:
        UserError: there is no such form, or it has no attention weights.
    """
    check_format(form, get_args(OutputFormat), alignments=alignments)
    if form == "jsonl":
        return JsonLines(alignments)
    if form == "text":
        return NBestLists() if n_best else Texts()
    return Table(columns, "\t" if form == "tsv" else ",")


def check_format(form: str, forms: Sequence[str], *, alignments: bool) -> None:
    """Checks the options `--format` and `--alignments`.

    Args:
        form: the format.
        forms: those that there are.
        alignments: whether the attention weights are written.

    Raises:
        UserError: there is no such format, or it has no attention weights.
    """
    if form not in forms:
        raise UserError("--format", ", ".join(forms), form, "choose one of them")
    if alignments and form != "jsonl":
        raise UserError("--alignments", "the format jsonl", form, "write --format jsonl")


@dataclass(frozen=True)
class JsonLines:
    r"""A JSON object for each row, with all answers.

    Args:
        alignments: whether it has the attention weights.

    Example:
        >>> JsonLines().format(Outcome(1, {"text": "a"}, UserError("--text", "b", "a", "c")))
        '{"row": 1, "inputs": {"text": "a"}, "error": "--text: expected b, got a; c"}\n'
    """

    alignments: bool = False

    def header(self) -> str:
        """Nothing."""
        return ""

    def format(self, outcome: Outcome) -> str:
        """The object of a row."""
        values: dict[str, Any] = {"row": outcome.row, "inputs": dict(outcome.columns)}
        if isinstance(outcome.result, Prediction):
            values |= self.describe(outcome.result)
        else:
            values["error"] = " ".join(str(outcome.result).split())
        return _to_json(values) + "\n"

    def describe(self, result: Prediction) -> dict[str, Any]:
        """What is written of a prediction, JSON values."""
        return result.to_json(alignments=self.alignments)


@dataclass(frozen=True)
class Texts:
    r"""The likeliest answer of each row as a line; an empty one where there is none.

    Example:
        >>> Texts().format(Outcome(1, {}, UserError("--text", "b", "a", "c")))
        '\n'
    """

    def header(self) -> str:
        """Nothing."""
        return ""

    def format(self, outcome: Outcome) -> str:
        """The line of a row."""
        return f"{escape(summarize(outcome.result))}\n"


@dataclass(frozen=True)
class NBestLists:
    """All answers of each row, `number ||| text ||| score` with numbers from 0, as Moses has them.

    The score is that of a search, else the probability. A row without answers has an empty one.
    """

    def header(self) -> str:
        """Nothing."""
        return ""

    def format(self, outcome: Outcome) -> str:
        """The lines of a row."""
        number, lines = outcome.row - 1, list[str]()
        answers = outcome.result.answers if isinstance(outcome.result, Prediction) else ()
        for answer in answers:
            score = answer.probability if answer.score is None else answer.score
            lines.append(f"{number} ||| {escape(answer.text)} ||| {score:.4f}\n")
        return "".join(lines) or f"{number} |||  ||| 0.0000\n"


class Table:
    r"""A row of cells for each row: its number, its inputs, the likeliest answer and any error.

    Args:
        columns: of the inputs; one that is called as a column of ours gets `input.` before it.
        delimiter: a tab, or a comma. Only with commas cells are quoted where they have to be; with
            tabs, breaks and tabs inside of a cell are written as `\n` and `\t`.
    """

    own: ClassVar[tuple[str, ...]] = ("prediction", "probability")
    """The columns of the result."""

    def __init__(self, columns: Sequence[str], delimiter: str) -> None:
        self._columns, self._delimiter = list(columns), delimiter

    def header(self) -> str:
        """The names of the columns."""
        return self._join(["row", *input_columns(self._columns, self.own), *self.own, "error"])

    def format(self, outcome: Outcome) -> str:
        """The cells of a row."""
        result, error = outcome.result, ""
        if isinstance(result, UserError):
            error, cells = " ".join(str(result).split()), [""] * len(self.own)
        else:
            cells = self.describe(result)
        inputs = [to_cell(outcome.columns.get(name)) for name in self._columns]
        return self._join([str(outcome.row), *inputs, *cells, error])

    def describe(self, result: Prediction) -> list[str]:
        """The cells of a prediction, in the order of `own`."""
        probability = f"{result.answers[0].probability:.6g}" if result.answers else ""
        return [summarize(result), probability]

    def _join(self, cells: Sequence[str]) -> str:
        if self._delimiter == "\t":
            return "\t".join(map(escape, cells)) + "\n"
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        return line.getvalue()


def input_columns(columns: Sequence[str], own: Sequence[str]) -> list[str]:
    """The columns of inputs in tables; one that is called as a column of ours gets a prefix.

    Args:
        columns: of the inputs.
        own: columns of the results, beside those of every table.

    Example:
        >>> input_columns(["text", "row"], ["prediction"])
        ['text', 'input.row']
    """
    return [f"input.{name}" if name in (*_OWN, *own) else name for name in columns]


def summarize(result: Result) -> str:
    """The likeliest answer; of a video whose clips have no label, its labels over time."""
    if isinstance(result, UserError):
        return ""
    if result.answers:
        return result.answers[0].text
    return "; ".join(f"{each.start:.2f}-{each.end:.2f} {each.label}" for each in result.timeline)


def escape(text: str) -> str:
    r"""A text without breaks and tabs, which are written as `\n` and `\t`."""
    return text.translate(_BREAKS)


def to_cell(value: Any) -> str:
    """A value of an input as the text of a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _to_json(value)


def _to_json(value: Any) -> str:
    # What is not printable, such as U+2028, breaks lines of careless readers.
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
