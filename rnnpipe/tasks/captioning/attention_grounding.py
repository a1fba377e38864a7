"""Attention grounding: how much attention falls on the objects that a caption mentions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.metrics.scene_captions import find_mentions
from rnnpipe.report.alignment_heatmap import join_words

Array = np.ndarray[Any, np.dtype[Any]]


def attention_on_objects(
    pieces: Sequence[str], alignment: Array, scene: str
) -> list[tuple[float, float]]:
    """The share of attention on each shape that a true caption mentions.

    Args:
        pieces: the tokens of the caption as text.
        alignment: of each token, `(time, rows, columns)`.
        scene: its shapes, as JSON.

    Returns:
        For each shape that is named, the share of the attention on the cells that it touches, as a
        mean over its words but the article; and the share of these cells, which is what even
        attention has. Nothing of a caption that is not true.

    Example:
        >>> shape = {"kind": "circle", "colour": "red", "size": "small", "x": 0.25, "y": 0.25}
        >>> scene = json.dumps({"shapes": [{**shape, "radius": 0.2}]})
        >>> weights = np.array([[[0.25, 0.25], [0.25, 0.25]], [[0.7, 0.1], [0.1, 0.1]]])
        >>> attention_on_objects(["▁a", "▁circle"], weights, scene)
        [(0.7, 0.25)]
    """
    words, weights = join_words(pieces, alignment)
    shapes = json.loads(scene)["shapes"]
    shares = []
    for mention in find_mentions(words, scene) or ():
        touched = covered_cells(shapes[mention.shape], alignment.shape[1:])
        mentioned = weights[mention.start + 1 : mention.stop]
        shares.append((float((mentioned * touched).sum() / len(mentioned)), float(touched.mean())))
    return shares


def covered_cells(shape: Mapping[str, float], grid: tuple[int, int]) -> Array:
    """The cells of a grid over the picture that the circle around a shape touches, of booleans."""
    nearest = []
    for centre, count in ((shape["y"], grid[0]), (shape["x"], grid[1])):
        edges = np.arange(count + 1) / count
        nearest.append(np.maximum(0, np.maximum(edges[:-1] - centre, centre - edges[1:])))
    touched: Array = np.hypot(nearest[0][:, None], nearest[1]) < shape["radius"]
    return touched
