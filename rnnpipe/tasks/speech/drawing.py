"""A spectrogram over what was recognized in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnpipe.report.image_heatmap import figure_to_png
from rnnpipe.tasks.network import softmax
from rnnpipe.tasks.speech.transcripts import Array, Transcript, Word
from rnnpipe.text.tokens import PAD

LEGEND = (
    "Above, how loud each frequency is (log-mel); in the middle, the probability of each token of"
    " the text over time, in grey the blank's, or the attention of each token; below, the words."
)
"""How to read the pictures of `draw_recognition`."""

_COLOURS = colormaps["tab10"].colors  # type: ignore[attr-defined]  # a listed colour map
_INK, _SOFT, _LINE, _BLANK = "#1d1c1a", "#625e57", "#e9e5dd", "#b9b3a8"
_WIDTH, _SIDE, _MARGIN, _FOOT = 12.0, 0.75, 0.15, 0.5  # inches
_SPECTROGRAM, _MIDDLE, _WORDS = 1.6, 1.4, 0.35
_ROW = 0.14  # of a token's attention
_LETTERS = 11  # of a word, for each inch


@dataclass(frozen=True)
class Recognition:
    """What was recognized in a recording, to be drawn.

    Args:
        features: log-mel, `(frames, mels)`.
        duration: of the recording, in seconds.
        step: seconds of a step.
        pieces: the tokens of the text.
        times: when each of them is said, in seconds; empty: not known.
        token_probabilities: of each token at each step, `(tokens, steps)`; None of a model without
            CTC.
        blank_probabilities: of the blank, `(steps,)`.
        alignment: the attention of each token, `(tokens, steps)`; None without.
        words: texts, starts and ends, in seconds.
    """

    features: Array
    duration: float
    step: float
    pieces: Sequence[str]
    times: Sequence[float]
    token_probabilities: Array | None
    blank_probabilities: Array | None
    alignment: Array | None
    words: Sequence[tuple[str, float, float]]


def make_recognition(
    features: Array,
    transcript: Transcript,
    pieces: Sequence[str],
    words: Sequence[Word],
    logits: Array | None,
    hop: float,
    step: float,
) -> Recognition:
    """What is drawn of a transcript.

    Args:
        features: of the recording, `(frames, mels)`.
        transcript: its text.
        pieces: its tokens.
        words: its words.
        logits: of CTC, `(steps, vocab)`; None of a model without.
        hop: seconds from one frame to the next.
        step: seconds of a step.
    """
    duration = len(features) * hop
    steps = -(-duration // step)
    probabilities = blank = None
    if logits is not None and transcript.spans is not None:
        each = softmax(logits[: int(steps)])
        probabilities, blank = each[:, list(transcript.tokens)].T, each[:, PAD]
    alignment = transcript.alignment
    return Recognition(
        features,
        duration,
        step,
        pieces,
        [(start + end) / 2 * step for start, end in transcript.spans or ()],
        probabilities,
        blank,
        None if alignment is None else alignment[:, : int(steps)],
        [word[:3] for word in words],
    )


def draw_recognition(recognition: Recognition) -> bytes:
    """The spectrogram, CTC's probabilities and the attention below it, and the words.

    Args:
        recognition: what to draw.

    Returns:
        The bytes of a PNG file.
    """
    panels = [(_SPECTROGRAM, _draw_spectrogram)]
    if recognition.token_probabilities is not None:
        panels.append((_MIDDLE, _draw_spikes))
    if recognition.alignment is not None:
        panels.append((max(_MIDDLE, _ROW * len(recognition.pieces)), _draw_alignment))
    panels.append((_WORDS, _draw_words))
    height = sum(tall + _MARGIN for tall, _ in panels) + _FOOT
    figure = Figure((_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    top = height
    for tall, draw in panels:
        top -= tall + _MARGIN
        inner = (_WIDTH - _SIDE - _MARGIN) / _WIDTH
        axes = figure.add_axes((_SIDE / _WIDTH, top / height, inner, tall / height))
        draw(axes, recognition)
        axes.set_xlim(0, recognition.duration)
        axes.tick_params(length=0, colors=_SOFT, labelsize=9)
        axes.spines[:].set_visible(False)
        if draw is not _draw_words:
            axes.set_xticklabels([])
    axes.set_xlabel("seconds", color=_SOFT)
    return figure_to_png(figure)


def _draw_spectrogram(axes: Axes, recognition: Recognition) -> None:
    features = np.nan_to_num(recognition.features.T)
    low, high = np.percentile(features, (5, 99.5))
    extent = (0, recognition.duration, 0, len(features))
    axes.imshow(
        features,
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1e-3),
        origin="lower",
        aspect="auto",
        extent=extent,
        interpolation="nearest",
    )
    axes.set_ylabel("mel bands", color=_SOFT, size=9)
    axes.set_yticks([])


def _draw_spikes(axes: Axes, recognition: Recognition) -> None:
    probabilities, blank = recognition.token_probabilities, recognition.blank_probabilities
    assert probabilities is not None
    assert blank is not None
    times = (np.arange(len(blank)) + 0.5) * recognition.step
    axes.plot(times, blank, color=_BLANK, linewidth=0.8)
    spikes = zip(recognition.pieces, recognition.times, probabilities, strict=True)
    for number, (piece, time, values) in enumerate(spikes):
        colour = _COLOURS[number % len(_COLOURS)]
        # Another token of the same kind has its own spike.
        near = np.abs(times - time) < 6 * recognition.step
        axes.plot(times[near], values[near], color=colour, linewidth=1.2)
        axes.fill_between(times[near], values[near], color=colour, alpha=0.25, linewidth=0)
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "size": 9, "color": _INK}
        axes.text(time, 1.04, piece, parse_math=False, **style)
    axes.set(ylim=(0, 1.25))
    axes.set_yticks([0, 1], ["0", "1"])
    axes.grid(axis="y", color=_LINE, linewidth=0.6)
    axes.set_ylabel("CTC", color=_SOFT, size=9)


def _draw_alignment(axes: Axes, recognition: Recognition) -> None:
    alignment = recognition.alignment
    assert alignment is not None
    tokens, steps = alignment.shape
    axes.imshow(
        np.nan_to_num(alignment),
        cmap="Blues",
        vmin=0,
        aspect="auto",
        extent=(0, steps * recognition.step, tokens, 0),
        interpolation="nearest",
    )
    axes.set_yticks(np.arange(tokens) + 0.5, recognition.pieces, size=8, parse_math=False)
    axes.set_ylabel("attention", color=_SOFT, size=9)


def _draw_words(axes: Axes, recognition: Recognition) -> None:
    inches = (_WIDTH - _SIDE - _MARGIN) / max(recognition.duration, 1e-3)
    for number, (text, start, end) in enumerate(recognition.words):
        face = _LINE if number % 2 else "#dcd6ca"
        axes.broken_barh([(start, end - start)], (0, 1), facecolor=face)
        small = len(text) > (end - start) * inches * _LETTERS
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": _INK}
        size = 7 if small else 10
        axes.text((start + end) / 2, 0.5, text, size=size, parse_math=False, **style)
    axes.set(ylim=(0, 1))
    axes.set_yticks([])
