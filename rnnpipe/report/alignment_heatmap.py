"""Heatmaps of alignments between the words of two sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnpipe.report.image_heatmap import figure_to_png

Array = np.ndarray[Any, np.dtype[Any]]

_INK, _SOFT, _LINE = "#1d1c1a", "#625e57", "#e9e5dd"
_SPACE = "▁"  # what SentencePiece writes for the space before a word

ALIGNMENT_LEGEND = (
    "Rows are words of the output, columns words of the source; the darker a cell, the more"
    " attention."
)
"""How to read the pictures of `draw_alignment`."""


def join_pieces(
    alignment: Array, source: Sequence[str], target: Sequence[str]
) -> tuple[Array, list[str], list[str]]:
    """An alignment between pieces of words as one between whole words.

    Columns of the pieces of a source word are added and rows of a target word are averaged, so that
    the sum of each row stays the same.

    Args:
        alignment: `(target_pieces, source_pieces)`.
        source: the pieces of the source, `▁` for the space before a word.
        target: the pieces of the target.

    Returns:
        The alignment `(target_words, source_words)` and the words of both sides.

    Example:
        >>> alignment, source, target = join_pieces(
        ...     np.array([[0.5, 0.25, 0.25]]), ["▁a", "▁rain", "bow"], ["▁ein"]
        ... )
        >>> alignment.tolist(), source, target
        ([[0.5, 0.5]], ['a', 'rainbow'], ['ein'])
    """
    columns = _word_starts(source)
    words, joined = join_words(target, np.add.reduceat(alignment, columns, axis=1))
    return joined, _words(source, columns), words


def join_words(pieces: Sequence[str], values: Array) -> tuple[list[str], Array]:
    """Pieces of words joined to words, each with the mean of its pieces' values.

    Args:
        pieces: of the words, `▁` for the space before one.
        values: `(pieces, ...)`.

    Returns:
        The words, and `(words, ...)`.

    Example:
        >>> words, values = join_words(["▁rain", "bow", "▁a"], np.array([1.0, 3.0, 5.0]))
        >>> words, values.tolist()
        (['rainbow', 'a'], [2.0, 5.0])
    """
    starts = _word_starts(pieces)
    if not starts:
        return [], values
    counts = np.diff([*starts, len(pieces)]).reshape(-1, *[1] * (values.ndim - 1))
    return _words(pieces, starts), np.add.reduceat(values, starts, axis=0) / counts


def draw_alignment(alignment: Array, source: Sequence[str], target: Sequence[str]) -> bytes:
    r"""A heat map of where each target word came from.

    Args:
        alignment: weights between 0 and 1, `(target_words, source_words)`.
        source: the words of the source, the columns.
        target: the words of the target, the rows.

    Returns:
        The bytes of a PNG file.

    Raises:
        ValueError: the alignment has another shape than the words.

    Example:
        >>> draw_alignment(np.eye(2), ["ein", "hund"], ["a", "dog"])[:4]
        b'\x89PNG'
    """
    if alignment.shape != (len(target), len(source)):
        raise ValueError(f"alignment: expected {(len(target), len(source))}, got {alignment.shape}")
    # All lengths are inches: a cell, and room for the longest word on either side.
    cell, letter, margin = 0.3, 0.1, 0.12
    left = 0.2 + letter * max(map(len, target), default=0)
    top = 0.2 + letter * max(map(len, source), default=0)
    wide, tall = cell * max(len(source), 1), cell * max(len(target), 1)
    width, height = left + wide + margin, top + tall + margin
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((left / width, margin / height, wide / width, tall / height))
    # A model that has diverged gives no numbers; its report is wanted all the same.
    weights = np.nan_to_num(np.asarray(alignment, "float32"), posinf=0, neginf=0)
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    style: dict[str, Any] = {"size": 9, "color": _INK, "parse_math": False}
    axes.set_xticks(range(len(source)), source, rotation=90, **style)
    axes.set_yticks(range(len(target)), target, **style)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(source) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(target) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=_LINE, linewidth=0.8)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_color(_SOFT)
    axes.spines[:].set_linewidth(0.6)
    return figure_to_png(figure)


def _word_starts(pieces: Sequence[str]) -> list[int]:
    return [i for i, piece in enumerate(pieces) if not i or piece.startswith(_SPACE)]


def _words(pieces: Sequence[str], starts: Sequence[int]) -> list[str]:
    ends = [*starts[1:], len(pieces)]
    return [
        "".join(pieces[start:end]).replace(_SPACE, "")
        for start, end in zip(starts, ends, strict=True)
    ]
