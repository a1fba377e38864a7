"""Texts that were recognized, and when their words were said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from rnnpipe.decoding import word_times
from rnnpipe.decoding.ctc.word_times import SPACE
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

Array = np.ndarray[Any, np.dtype[Any]]

Spans = Sequence[Sequence[int]]
"""The first step of each token, and the one after its last."""


class Word(NamedTuple):
    """A word of a text.

    Args:
        text: the word.
        start: in seconds.
        end: in seconds.
        probability: the mean probability of its tokens.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """A text that was recognized.

    Args:
        tokens: its ids.
        score: what it was chosen by, a log-probability in nats.
        probability: the geometric mean of its tokens' probabilities.
        spans: the steps of each token; None where nothing tells.
        confidences: the probability of each token at its step; None likewise.
        alignment: the attention of each token, `(tokens, steps)`; None of a model without decoder.
    """

    tokens: Sequence[int]
    score: float
    probability: float
    spans: Spans | None = None
    confidences: Sequence[float] | None = None
    alignment: Array | None = None

    def located(self, spans: Spans, confidences: Sequence[float]) -> Transcript:
        """The same with the times of its tokens."""
        return replace(self, spans=spans, confidences=confidences)


def split_pieces(tokens: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """The pieces of tokens, `▁` for the space before a word, as they decode to text.

    An unknown token begins a word, as text has it; those that are no text are empty.
    """
    special = {UNKNOWN: f"{SPACE}{tokenizer.pieces[UNKNOWN]}", PAD: "", START: "", END: ""}
    return [special.get(token, tokenizer.pieces[token]) for token in tokens]


def find_words(transcript: Transcript, pieces: Sequence[str], step: float) -> list[Word]:
    """The words of a transcript and when they are said, see `word_times`.

    Args:
        transcript: the text.
        pieces: the piece of each of its tokens, `▁` for the space before a word.
        step: seconds of a step.

    Returns:
        The words; none where nothing tells when they are said.

    Example:
        >>> spans = [(0, 1), (1, 2), (2, 3), (5, 6), (6, 8)]
        >>> transcript = Transcript([4, 5, 6, 4, 7], 0.0, 1.0, spans, [1.0, 0.5, 0.7, 1.0, 0.9])
        >>> find_words(transcript, ["▁", "g", "o", "▁", "x"], 0.5)[1]
        Word(text='x', start=3.0, end=4.0, probability=0.9)
    """
    if transcript.spans is None or transcript.confidences is None:
        return []
    tokens = list(zip(transcript.spans, transcript.confidences, strict=True))
    words = []
    for text, start, end in word_times(pieces, transcript.spans, step):
        rounded = round(start / step), round(end / step)
        inside = [p for span, p in tokens if rounded[0] <= span[0] and span[1] <= rounded[1]]
        words.append(Word(text, start, end, float(np.mean(inside))))
    return words
