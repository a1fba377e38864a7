"""Gradients on their way back, and gates over a text, drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnpipe.report.image_heatmap import figure_to_png

Array = np.ndarray[Any, np.dtype[Any]]

_COLOURS = ("#2a5f9e", "#c2560c", "#3d7a3a", "#7a4b94", "#1d1c1a", "#8f6b00", "#a3324b")
_SOFT = "#625e57"
_LEAST = 1e-12
_RANGES = {"candidate": (-1.0, 1.0)}
_UNITS_SHOWN = 32


def draw_gradient_flow(curves: Mapping[str, Array], clipped: Mapping[str, Array]) -> bytes:
    """Norms of gradients by steps back from the loss, on a logarithmic axis.

    Args:
        curves: by the name of a network, a norm for each step back.
        clipped: the same after clipping, drawn as dashes.

    Returns:
        The bytes of a PNG file.
    """
    figure = Figure((10, 4.6), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.08, 0.13, 0.62, 0.83))
    for (name, norms), colour in zip(curves.items(), _COLOURS, strict=False):
        back = np.arange(1, len(norms) + 1)
        axes.plot(back, np.maximum(norms, _LEAST), color=colour, label=name, linewidth=1.8)
        if name in clipped:
            axes.plot(
                back,
                np.maximum(clipped[name], _LEAST),
                color=colour,
                linestyle=(0, (4, 2)),
                linewidth=1.4,
            )
    axes.set_yscale("log")
    axes.set_xlabel("steps back from the loss", color=_SOFT)
    axes.set_ylabel("norm of the gradient by the state", color=_SOFT)
    axes.grid(True, which="major", color="#e9e5dd")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    figure.legend(*axes.get_legend_handles_labels(), loc="center left", bbox_to_anchor=(0.71, 0.5))
    return figure_to_png(figure)


def draw_gates(pieces: Sequence[str], gates: Mapping[str, Array]) -> bytes:
    """What each gate does at each symbol of a text: a row for each of the liveliest units.

    Args:
        pieces: the text, a symbol for each step.
        gates: by name, `(time, units)`.

    Returns:
        The bytes of a PNG file.
    """
    rows = len(gates)
    figure = Figure((13, 1.7 * rows + 0.4), facecolor="white")
    FigureCanvasAgg(figure)
    liveliest = np.argsort(-np.sum([values.std(axis=0) for values in gates.values()], axis=0))
    shown = np.sort(liveliest[:_UNITS_SHOWN])
    for row, (name, values) in enumerate(gates.items()):
        height = 0.9 / rows
        axes = figure.add_axes((0.05, 1 - (row + 1) * height, 0.89, height * 0.8))
        low, high = _RANGES.get(name, (0.0, 1.0))
        picture = axes.imshow(
            values[:, shown].T,
            aspect="auto",
            cmap="RdBu_r",
            vmin=low,
            vmax=high,
            interpolation="nearest",
        )
        axes.set_ylabel(f"{name}\nunits", color=_SOFT)
        axes.set_yticks([])
        axes.set_xticks(range(len(pieces)), [_show(piece) for piece in pieces])
        axes.tick_params(length=0, labelsize=8, pad=1)
        axes.spines[:].set_visible(False)
        bar = figure.add_axes((0.95, 1 - (row + 1) * height, 0.01, height * 0.8))
        figure.colorbar(picture, cax=bar, ticks=[low, high])
    return figure_to_png(figure)


def _show(piece: str) -> str:
    # A dollar sign alone would begin a formula.
    return {" ": "·", "\n": "⏎", "\t": "⇥"}.get(piece, piece.replace("$", r"\$"))
