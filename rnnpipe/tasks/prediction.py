"""The answers of a model to a user's own input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnnpipe.report.notebook import picture_html, table_html
from rnnpipe.requirements import requiring


class Answer(NamedTuple):
    """An answer, label, caption, translation or generated text.

    Args:
        text: the answer.
        probability: its probability; that of a sequence is the geometric mean of its tokens'.
        score: what a search ranked the sequence by, its log-probability in nats over the length
            penalty; None where nothing was searched for.
    """

    text: str
    probability: float
    score: float | None = None


class Segment(NamedTuple):
    """A part of a video with one label.

    Args:
        start: in seconds.
        end: in seconds.
        label: the likeliest label.
        probability: its mean probability.
    """

    start: float
    end: float
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The outputs of a model for one row of inputs. A notebook shows them as tables and picture.

    Args:
        answers: the likeliest first.
        timeline: the labels of a video over time.
        alignments: the attention weights, of the best answer where there are several: `(glimpses,
            tokens)` over a text, `(glimpses, rows, columns)` over an image; of a caption
            `(tokens, rows, columns)`, of a translation `(target_tokens, source_tokens)`. None of
            a model without attention.
        notes: what the model does not read of the input, e.g. tokens beyond its limit.
        draw: draws the picture; None of a task that draws none.

    Example:
        >>> prediction = Prediction([Answer("yes", 0.9), Answer("no", 0.1)])
        >>> prediction.answers[0].text, prediction.answers[0].probability
        ('yes', 0.9)
        >>> prediction.picture is None
        True
    """

    answers: Sequence[Answer]
    timeline: Sequence[Segment] = ()
    alignments: np.ndarray[Any, np.dtype[Any]] | None = None
    notes: Sequence[str] = ()
    draw: Callable[[], bytes] | None = field(default=None, repr=False)

    @cached_property
    def picture(self) -> bytes | None:
        """A PNG, e.g. of the attention, which is drawn when it is first asked for.

        Raises:
            UserError: the file that it is drawn over cannot be read any more, or a library that
                draws is not installed.
        """
        if self.draw is None:
            return None
        with requiring(where="Prediction.picture"):
            return self.draw()

    def to_json(self, *, alignments: bool = False) -> dict[str, Any]:
        """The same as JSON values; numbers that are not finite are null.

        Args:
            alignments: whether the attention weights are among them.

        Example:
            >>> Prediction([Answer("yes", 0.9)]).to_json()
            {'prediction': 'yes', 'answers': [{'text': 'yes', 'probability': 0.9}]}
        """
        values: dict[str, Any] = {"prediction": self.answers[0].text if self.answers else None}
        values["answers"] = [_drop_none(answer._asdict()) for answer in self.answers]
        if self.timeline:
            values["timeline"] = [segment._asdict() for segment in self.timeline]
        if self.notes:
            values["notes"] = list(self.notes)
        if alignments:
            values["alignments"] = None if self.alignments is None else self.alignments.tolist()
        finite: dict[str, Any] = make_finite(values)
        return finite

    def _repr_html_(self) -> str:
        parts = []
        if self.timeline:
            parts.append(table_html(Segment._fields, self.timeline))
        if self.answers:
            rows = [(answer.text, answer.probability) for answer in self.answers]
            parts.append(table_html(("answer", "probability"), rows))
        if self.picture is not None:
            parts.append(picture_html(self.picture))
        return "".join(parts)


def _drop_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def make_finite(value: Any) -> Any:
    """JSON has no NaN and no infinity, which a model that has diverged may answer."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: make_finite(item) for name, item in value.items()}
    return [make_finite(item) for item in value] if isinstance(value, list) else value
