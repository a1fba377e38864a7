"""The path of glimpses, drawn over the image."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnpipe.report.image_heatmap import figure_to_png, show_answers

LEGEND = "The line connects the glimpses in order; the larger a disc, the more focused the glimpse."
"""How to read the pictures of `draw_glimpse_path`."""

_WIDE, _SIDE, _BAR = 3.2, 0.15, 0.3  # inches
_LINE, _DISC = "white", "#c2560c"
_LEAST, _MOST = 130.0, 330.0  # areas of discs, in square points


def glimpse_centers(alignments: np.ndarray) -> np.ndarray:
    """The center of each glimpse: the mean of its cells, weighted by attention.

    Args:
        alignments: `(glimpses, rows, columns)`, each of which sums to 1.

    Returns:
        x and y of each glimpse, `(glimpses, 2)`, as fractions of the image's width and height.

    Example:
        >>> alignments = np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.25, 0.25], [0.25, 0.25]]])
        >>> glimpse_centers(alignments).tolist()
        [[0.75, 0.25], [0.5, 0.5]]
    """
    _, rows, columns = alignments.shape
    across = alignments.sum(axis=1) @ ((np.arange(columns) + 0.5) / columns)
    down = alignments.sum(axis=2) @ ((np.arange(rows) + 0.5) / rows)
    return np.stack([across, down], axis=1)


def draw_glimpse_path(
    image: np.ndarray, alignments: np.ndarray, *, answers: Sequence[tuple[str, float]] = ()
) -> bytes:
    """An image with the path of the glimpses, above the best answers.

    Args:
        image: uint8, `(height, width, 3)`.
        alignments: `(glimpses, rows, columns)`.
        answers: texts and probabilities, the most probable first.

    Returns:
        The bytes of a PNG file.
    """
    tall, bars = _WIDE * image.shape[0] / image.shape[1], _BAR * len(answers)
    across = 1.9 * _WIDE if answers else _WIDE
    width, height = across + 2 * _SIDE, tall + bars + (3 if answers else 2) * _SIDE
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)
    box = (_SIDE / width, 1 - (_SIDE + tall) / height, _WIDE / width, tall / height)
    _draw_path(figure.add_axes(box), image, alignments)
    if answers:
        below = (_SIDE / width, _SIDE / height, across / width, bars / height)
        show_answers(figure.add_axes(below), answers, across)
    return figure_to_png(figure)


def _draw_path(axes: Axes, image: np.ndarray, alignments: np.ndarray) -> None:
    axes.imshow(image, extent=(0, 1, 1, 0), aspect="auto", interpolation="bicubic")
    path = glimpse_centers(alignments)
    peaks = alignments.reshape(len(alignments), -1).max(axis=1)
    for width, colour in ((3.2, "#1d1c1a"), (1.6, _LINE)):  # an outline, on any background
        axes.plot(*path.T, color=colour, linewidth=width, solid_capstyle="round", zorder=2)
    areas = _LEAST + (_MOST - _LEAST) * peaks
    axes.scatter(
        path[:, 0], path[:, 1], s=areas, color=_DISC, edgecolors=_LINE, linewidths=1, zorder=3
    )
    for number, (x, y) in enumerate(path, start=1):
        axes.text(x, y, str(number), color="white", size=8, ha="center", va="center", zorder=4)
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
