"""Heatmaps of attention over text."""

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnpipe.report.image_heatmap import figure_to_png, show_answers
from rnnpipe.report.items import Span

Array = np.ndarray[Any, np.dtype[Any]]
Placed = tuple[int, int, Span]
"""Line and column of a piece of text, and the piece."""

LEGEND = "The darker a word, the more attention; words without shade have the least."
"""How to read shaded text."""

_INK, _SHADE, _STRENGTH = "#1d1c1a", "#c2560c", 0.62
_COLUMNS, _MOST_LINES = 84, 44
_ACROSS, _UP = 0.0836, 0.235  # inches: of a monospaced letter of 10 points, and of a line


def attention_spans(pieces: Sequence[str], alignments: Array | None) -> list[Span]:
    """The pieces of a text, each with its normalised attention as weight.

    With `a` the mean of the glimpses, a piece's weight is `(a - min a) / max a`: uniform attention
    shades nothing.

    Args:
        pieces: tokens as text, `▁` where a word begins.
        alignments: `(glimpses, time)`, one number for each piece; None where there is no attention.

    Raises:
        ValueError: there are not as many numbers as pieces.

    Example:
        >>> attention_spans(["▁not", "▁good"], np.array([[0.8, 0.2], [0.8, 0.2]]))
        [Span(text=' not', weight=0.75), Span(text=' good', weight=0.0)]
    """
    texts = [piece.replace("▁", " ") for piece in pieces]
    if alignments is None or not texts:
        return [Span(text) for text in texts]
    # A diverged model has NaN weights; its report must still be written.
    mean = np.nan_to_num(np.asarray(alignments, "float64").mean(axis=0), posinf=0, neginf=0)
    weights = (mean - mean.min()) / max(float(mean.max()), 1e-12)
    return [
        Span(text, round(float(weight), 4)) for text, weight in zip(texts, weights, strict=True)
    ]


def draw_text_heatmap(spans: Sequence[Span], answers: Sequence[tuple[str, float]]) -> bytes:
    r"""A picture of the text shaded by attention, and the best answers.

    Args:
        spans: the text; of a very long one, the beginning is drawn.
        answers: texts and probabilities, the most probable first.

    Returns:
        The bytes of a PNG file.

    Example:
        >>> draw_text_heatmap([Span(" not", 1.0), Span(" good")], [("neg", 0.9), ("pos", 0.1)])[:4]
        b'\x89PNG'
    """
    placed = _place(spans)
    # All lengths are inches, measured from the bottom left corner.
    side, gap, bars, inner = 0.3, 0.25, 0.3 * len(answers), _COLUMNS * _ACROSS
    lines = 1 + max((line for line, _, _ in placed), default=0)
    width, height = inner + 2 * side, 2 * side + bars + gap + lines * _UP
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)

    def axes(bottom: float, up: float) -> Axes:
        return figure.add_axes((side / width, bottom / height, inner / width, up / height))

    _write_words(axes(side + bars + gap, lines * _UP), placed, lines)
    if answers:
        show_answers(axes(side, bars), answers, inner)
    return figure_to_png(figure)


def _write_words(axes: Axes, placed: Sequence[Placed], lines: int) -> None:
    """The pieces at their places, each on a rectangle as dark as it is weighty."""
    axes.set(xlim=(0, _COLUMNS * _ACROSS), ylim=(0, lines * _UP))
    axes.axis("off")
    for line, column, span in placed:
        left, bottom = column * _ACROSS, (lines - 1 - line) * _UP
        size = (_width(span.text) * _ACROSS, 0.86 * _UP)
        alpha = _STRENGTH * span.weight
        axes.add_patch(Rectangle((left, bottom), *size, facecolor=_SHADE, alpha=alpha, linewidth=0))
        style: dict[str, Any] = {"family": "monospace", "size": 10, "va": "center"}
        # A word is no formula: without parse_math=False a lone "$" would be read as one.
        axes.text(left, bottom + 0.42 * _UP, span.text, color=_INK, parse_math=False, **style)


def _place(spans: Sequence[Span]) -> list[Placed]:
    """The positions of the pieces: words stay whole, lines are `_COLUMNS` wide."""
    placed: list[Placed] = []
    line = column = 0
    for word in _words(spans):
        width = sum(_width(span.text) for span in word)
        if column and column + 1 + width > _COLUMNS:
            line, column = line + 1, 0
        elif column:
            column += 1
        if line >= _MOST_LINES:
            return [*placed, (line, 0, Span("…"))]
        for span in word:
            placed.append((line, column, span))
            column += _width(span.text)
    return placed


def _words(spans: Sequence[Span]) -> list[list[Span]]:
    """The pieces by words, without the spaces before them; what is too long for a line is cut."""
    words: list[list[Span]] = []
    for span in spans:
        text = span.text.strip()
        if span.text.startswith(" ") or not words:
            words.append([])
        for part in textwrap.wrap(text, _COLUMNS // 2):
            if sum(_width(each.text) for each in words[-1]) + _width(part) > _COLUMNS:
                words.append([])
            words[-1].append(Span(part, span.weight))
    return [word for word in words if word]


def _width(text: str) -> int:
    """How many columns a text takes: the letters of some scripts take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
