"""The forms in which scores of given texts are written: a line for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.predictors.formats import JsonLines, Outcome, Table, Writer
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.scored_text import ScoredText


def make_score_writer(form: str, columns: Sequence[str], *, tokens: bool) -> Writer:
    """The writer of a form.

    Args:
        form: its name.
        columns: of the inputs.
        tokens: whether JSON lines have the score of each token.

    Raises:
        UserError: the form has no scores of tokens.
    """
    if tokens and form != "jsonl":
        raise UserError("--tokens", "the format jsonl", form, "write --format jsonl")
    if form == "jsonl":
        return ScoreLines(tokens=tokens)
    if form == "text":
        return ScoreTexts()
    return ScoreTable(columns, "\t" if form == "tsv" else ",")


@dataclass(frozen=True)
class ScoreLines(JsonLines):
    """A JSON object for each row.

    Args:
        tokens: whether it has the score of each token.
    """

    tokens: bool = False

    def describe(self, result: Prediction) -> dict[str, Any]:
        """The log-probability, the number of tokens and the perplexity; null of a blank line."""
        if not isinstance(result, ScoredText):
            return dict.fromkeys(ScoreTable.own)
        return result.to_json(tokens=self.tokens)


class ScoreTable(Table):
    """A row of cells for each row, see `Table`."""

    own = ("log_probability", "tokens", "perplexity")

    def describe(self, result: Prediction) -> list[str]:
        """The log-probability, the number of tokens and the perplexity; empty of a blank line."""
        if not isinstance(result, ScoredText):
            return [""] * len(self.own)
        total, perplexity = result.log_probability, result.perplexity
        return [f"{total:.6g}", str(len(result.tokens)), f"{perplexity:.6g}"]


@dataclass(frozen=True)
class ScoreTexts:
    """The log-probability of each row as a line; an empty one where there is none."""

    def header(self) -> str:
        """Nothing."""
        return ""

    def format(self, outcome: Outcome) -> str:
        """The line of a row."""
        result = outcome.result
        return f"{result.log_probability:.6g}\n" if isinstance(result, ScoredText) else "\n"
