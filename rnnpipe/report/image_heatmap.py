"""Heatmaps of attention over images."""

import io
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

Array = np.ndarray[Any, np.dtype[Any]]

_HEAT = colormaps["inferno"]  # as its lightness rises evenly, it reads in grey and in print too
_INK, _SOFT, _RAIL, _BAR = "#1d1c1a", "#625e57", "#e9e5dd", "#2a5f9e"

_DPI = 100  # of strips: pixels of an inch

PICTURE_WIDTH = 200
"""The width of a report's pictures, in pixels."""

PANEL = 120
"""The width of the pictures of a strip in a report, in pixels."""

_PANELS = 7  # of a strip that stand side by side

LEGEND = (
    "The image is clear where attention is high and dark where it is low; the line encloses"
    " weights of at least half the maximum."
)
"""How to read the pictures of `draw_attention`."""


def draw_image(image: Array) -> bytes:
    """An image at the width of a report's pictures.

    Args:
        image: uint8, `(height, width, 3)`.

    Returns:
        The bytes of a PNG file.

    Raises:
        ValueError: the image is of another type or shape.
    """
    return _to_png(_enlarge(image, PICTURE_WIDTH))


def draw_attention(image: Array, alignment: Array, *, width: int = PICTURE_WIDTH) -> bytes:
    r"""An image with a heatmap of attention.

    With `h = (a - min a) / max a`, a cell's weight between none and the most that any cell has,
    the overlay is dark where h is 0, glows in between and is clear where h is 1, so that attended
    regions keep their colours. A line runs where h is one half. Uniform attention has h = 0
    everywhere: it has no bright region.

    Args:
        image: uint8, `(height, width, 3)`.
        alignment: weights over the cells of a grid that covers the image, `(rows, columns)`.
        width: of the result, in pixels; the height follows.

    Returns:
        The bytes of a PNG file.

    Raises:
        ValueError: the image or the alignment is of another type or shape.

    Example:
        >>> image = np.full((64, 64, 3), 255, "uint8")
        >>> draw_attention(image, np.eye(8) / 8)[:4]
        b'\x89PNG'
    """
    return _to_png(_overlay(_enlarge(image, width), alignment))


def draw_glimpses(
    image: Array, alignments: Array, title: str, answers: Sequence[tuple[str, float]]
) -> bytes:
    """The image, the attention of each glimpse, and the best answers.

    Args:
        image: uint8, `(height, width, 3)`.
        alignments: weights over a grid that covers the image, `(glimpses, rows, columns)`.
        title: the question.
        answers: texts and probabilities, the most probable first.

    Returns:
        The bytes of a PNG file.

    Raises:
        ValueError: the image or the alignments are of another type or shape.
    """
    picture = _enlarge(image, 480)
    panels = [("image", picture)]
    for number, alignment in enumerate(alignments, 1):
        panels.append((f"glimpse {number}", _overlay(picture, alignment)))
    lines = textwrap.wrap(title, 25 * len(panels), max_lines=4, placeholder=" …")
    question = "\n".join(lines)

    # All lengths are inches, measured from the bottom left corner.
    side, gap, wide = 0.3, 0.2, 2.9
    tall = wide * picture.shape[0] / picture.shape[1]
    head, foot, bars = 0.4 + 0.28 * len(lines), 0.5, 0.3 * len(answers)
    inner = (wide + gap) * len(panels) - gap
    width, height = inner + 2 * side, side + bars + foot + tall + head
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)

    def axes(left: float, bottom: float, across: float, up: float) -> Axes:
        return figure.add_axes((left / width, bottom / height, across / width, up / height))

    _write(figure, side / width, 1 - 0.22 / height, question, va="top", size=15, weight="bold")
    for place, (name, pixels) in enumerate(panels):
        left = side + place * (wide + gap)
        _show_pixels(axes(left, side + bars + foot, wide, tall), pixels, name)
    if answers:
        show_answers(axes(side, side, inner, bars), answers, inner)
    return figure_to_png(figure)


def draw_strip(
    image: Array, words: Sequence[str], alignments: Array | None, *, panel: int = PANEL
) -> bytes:
    """The image, and its heatmap for every word of a caption.

    Args:
        image: uint8, `(height, width, 3)`.
        words: of the caption.
        alignments: weights over a grid that covers the image, `(words, rows, columns)`; None of a
            model without attention: the image alone.
        panel: the width of each picture, in pixels; the height follows.

    Returns:
        The bytes of a PNG file.

    Raises:
        ValueError: the image or the alignments are of another type or shape.
    """
    picture = _enlarge(image, panel)
    panels = [("", picture)]
    if alignments is not None:
        heatmaps = zip(words, alignments, strict=True)
        panels += [(word, _overlay(picture, alignment)) for word, alignment in heatmaps]
    tall, wide = (side / _DPI for side in picture.shape[:2])
    text, gap = 0.26, 0.08  # inches too
    columns = min(len(panels), _PANELS)
    lines = -(-len(panels) // columns)
    width, height = columns * (wide + gap) + gap, lines * (tall + text) + gap
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)
    for place, (word, pixels) in enumerate(panels):
        left = gap + place % columns * (wide + gap)
        bottom = height - gap - tall - place // columns * (tall + text)
        box = (left / width, bottom / height, wide / width, tall / height)
        _show_pixels(figure.add_axes(box), pixels, "")
        middle, below = (left + wide / 2) / width, (bottom - 0.04) / height
        _write(figure, middle, below, word, size=10, ha="center", va="top")
    drawn = Image.open(io.BytesIO(figure_to_png(figure, dpi=_DPI))).convert("RGB")
    return _to_png(np.asarray(drawn))


def show_answers(axes: Axes, answers: Sequence[tuple[str, float]], width: float) -> None:
    """Draws a line per answer: its text, a bar on a rail of length one, its probability.

    Args:
        axes: where.
        answers: texts and probabilities, the most probable first.
        width: of the axes, in inches.
    """
    start, length = 2.35, width - 2.35 - 0.75
    for line, (text, probability) in enumerate(answers):
        weight = "bold" if line == 0 else "normal"
        short = text if len(text) <= 23 else text[:22] + "…"
        _write(axes, 0, line, short, va="center", size=11, weight=weight)
        axes.barh(line, length, 0.36, start, color=_RAIL)
        axes.barh(line, length * probability, 0.36, start, color=_BAR)
        percent = f"{probability:.1%}"
        _write(axes, width, line, percent, ha="right", va="center", size=11, weight=weight)
    axes.set(xlim=(0, width), ylim=(len(answers) - 0.5, -0.5))
    axes.axis("off")


def figure_to_png(figure: Figure, dpi: float = 150) -> bytes:
    """A figure as the bytes of a PNG file."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A question may be in any script; a font that lacks a letter draws a box in its place.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()


def _write(where: Figure | Axes, x: float, y: float, text: str, **style: Any) -> None:
    # A question is no formula: without parse_math=False a lone "$" would be read as one.
    where.text(x, y, text, color=_INK, parse_math=False, **style)


def _show_pixels(axes: Axes, pixels: Array, name: str) -> None:
    axes.imshow(pixels, aspect="auto", interpolation="lanczos")
    axes.set_xlabel(name, color=_SOFT, size=10, labelpad=5)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _enlarge(image: Array, width: int) -> Array:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"image: expected uint8 (height, width, 3), got {image.dtype} {image.shape}"
        )
    height = max(2, round(width * image.shape[0] / image.shape[1]))
    # Lanczos shrinks best, but draws rings around hard edges where it enlarges.
    growing = width > image.shape[1]
    way = Image.Resampling.BICUBIC if growing else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(image).resize((width, height), way))


def _overlay(picture: Array, alignment: Array) -> Array:
    """The overlay and the line of `draw_attention` over a picture of the right size."""
    heat = _heat(alignment, picture.shape[0], picture.shape[1])[..., np.newaxis]
    colour = 255 * _HEAT(0.04 + 0.86 * heat[..., 0])[..., :3]
    cover = 0.46 * (1 - heat) + 0.5 * heat * (1 - heat)
    shaded = picture * (1 - cover) + colour * cover

    # On the line |h - 1/2| is 0, and over the slope it is the distance from the line in pixels.
    slope = np.hypot(*np.gradient(heat[..., 0]))[..., np.newaxis]
    distance = np.abs(heat - 0.5) / np.maximum(slope, 1e-9)
    line = np.where(slope > 1e-4, np.clip(max(1.3, picture.shape[1] / 240) - distance, 0, 1), 0)
    shaded = shaded * (1 - line) + 255 * np.array(_HEAT(0.85)[:3]) * line
    pixels: Array = np.rint(np.clip(shaded, 0, 255)).astype("uint8")
    return pixels


def _heat(alignment: Array, height: int, width: int) -> Array:
    """Weights between 0 and 1, shape `(height, width)`, smooth between the centres of the cells."""
    if alignment.ndim != 2:
        raise ValueError(f"alignment: expected (rows, columns), got {alignment.shape}")
    # A diverged model has NaN weights; its report must still be written.
    weights = np.nan_to_num(np.asarray(alignment, "float32"), posinf=0, neginf=0)
    heat = (weights - weights.min()) / max(float(weights.max()), 1e-12)
    smooth = Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC)
    within: Array = np.clip(np.asarray(smooth), 0, 1)
    return within


def _to_png(pixels: Array) -> bytes:
    file = io.BytesIO()
    # 256 colours are a third of the bytes, and of a size at which the loss does not show.
    palette = Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE)
    palette.save(file, "PNG", optimize=True)
    return file.getvalue()
