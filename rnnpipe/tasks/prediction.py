"""The outputs of a model for a user's own input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rnnpipe.report.notebook import picture_html, table_html


class Answer(NamedTuple):
    """An answer, label, caption or translation.

    Args:
        text: the answer.
        probability: its probability; that of a sequence is the geometric mean of its tokens'.
    """

    text: str
    probability: float


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


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The outputs of a model for a user's own input. A notebook shows them as tables and picture.

    Args:
        answers: the likeliest first.
        picture: a PNG, e.g. of the attention; None of a task that draws none.
        timeline: the labels of a video over time.
        alignments: the attention weights, of the best answer where there are several: `(glimpses,
            tokens)` over a text, `(glimpses, rows, columns)` over an image; of a caption
            `(tokens, rows, columns)`, of a translation `(target_tokens, source_tokens)`. None of
            a model without attention.

    Example:
        >>> prediction = Prediction([Answer("yes", 0.9), Answer("no", 0.1)])
        >>> prediction.answers[0].text, prediction.answers[0].probability
        ('yes', 0.9)
    """

    answers: Sequence[Answer]
    picture: bytes | None = field(default=None, repr=False)
    timeline: Sequence[Segment] = ()
    alignments: np.ndarray[Any, np.dtype[Any]] | None = None

    def _repr_html_(self) -> str:
        parts = []
        if self.timeline:
            parts.append(table_html(Segment._fields, self.timeline))
        if self.answers:
            parts.append(table_html(("answer", "probability"), self.answers))
        if self.picture is not None:
            parts.append(picture_html(self.picture))
        return "".join(parts)
