"""A video as a film strip over a timeline of its labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnpipe.report.image_heatmap import figure_to_png
from rnnpipe.tasks.video_labeling.labels import Array, find_segments

_COLOURS = [*colormaps["tab20"].colors[::2], *colormaps["tab20"].colors[1::2]]  # type: ignore[attr-defined]  # a listed colour map
_NONE = "#e9e5dd"
_INK, _SOFT = "#1d1c1a", "#625e57"
_WIDTH = 12.0  # inches
_LETTERS = 11  # of a label's text, for each inch


def draw_timeline(
    frames: Sequence[Array],
    times: Sequence[float],
    rows: Mapping[str, Sequence[int] | Array],
    names: Sequence[str],
) -> bytes:
    r"""A film strip, and below it a bar for each row of labels, as long as the video.

    Args:
        frames: some frames of the video, evenly spread over it; uint8, `(height, width, 3)`.
        times: when each label's frame is on show, in seconds.
        rows: labels of frames by what they are, e.g. `true`; -1 where there is none. Without any
            the strip stands alone.
        names: of the labels.

    Returns:
        The bytes of a PNG file.

    Example:
        >>> frames = [np.zeros((8, 8, 3), "uint8")] * 3
        >>> draw_timeline(frames, [0.1, 0.3, 0.5], {"model": [0, 0, 1]}, ["up", "down"])[:4]
        b'\x89PNG'
    """
    side = 1.0  # of the names of rows, inches
    inner, wide = _WIDTH - side - 0.2, (_WIDTH - side - 0.2) / len(frames)
    tall = min(wide * frames[0].shape[0] / frames[0].shape[1], 2.0)
    bars = 0.42 * len(rows)
    foot = bars + 0.65 if rows else 0.1
    height = tall + foot + 0.1
    figure = Figure((_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)

    def axes(bottom: float, up: float) -> Axes:
        return figure.add_axes((side / _WIDTH, bottom / height, inner / _WIDTH, up / height))

    strip = axes(foot, tall)
    strip.imshow(_join(frames), aspect="auto", interpolation="lanczos")
    strip.axis("off")
    if rows:
        _draw_bars(axes(0.5, bars), times, rows, names, inner)
    return figure_to_png(figure)


def _join(frames: Sequence[Array]) -> Array:
    """The frames side by side, a white line around each."""
    gap = max(1, frames[0].shape[1] // 40)
    edges = ((0, 0), (gap, gap), (0, 0))
    return np.concatenate([np.pad(f, edges, constant_values=255) for f in frames], axis=1)


def _draw_bars(
    axes: Axes,
    times: Sequence[float],
    rows: Mapping[str, Sequence[int] | Array],
    names: Sequence[str],
    inches: float,
) -> None:
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    start, end = float(times[0]) - step / 2, float(times[-1]) + step / 2
    for line, labels in enumerate(rows.values()):
        for first, last, label in find_segments(labels):
            left, length = start + first * step, (last - first) * step
            colour = _NONE if label < 0 else _COLOURS[label % len(_COLOURS)]
            style: dict[str, Any] = {"facecolor": colour, "edgecolor": "white", "linewidth": 1}
            axes.broken_barh([(left, length)], (line - 0.4, 0.8), **style)
            room = int(length / (end - start) * inches * _LETTERS)
            if label >= 0 and len(names[label]) <= room:
                place: dict[str, Any] = {"ha": "center", "va": "center", "size": 9, "color": _INK}
                middle = left + length / 2
                axes.text(middle, line, names[label], parse_math=False, **place)
    axes.set(xlim=(start, end), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), rows.keys(), color=_INK)
    axes.set_xlabel("seconds", color=_SOFT)
    axes.tick_params(length=0, colors=_SOFT)
    axes.spines[:].set_visible(False)
