"""What is to be seen in a picture: a few coloured shapes that do not overlap."""

import math
import random
from dataclasses import dataclass

KINDS = ("circle", "square", "triangle")
SIZES = ("small", "large")
COLOURS = {
    "red": (214, 39, 40),
    "orange": (255, 140, 10),
    "yellow": (250, 222, 40),
    "green": (40, 155, 60),
    "blue": (40, 95, 210),
    "purple": (140, 60, 175),
}
"""Name → (red, green, blue), 0 to 255."""

MIN_SHAPES, MAX_SHAPES = 1, 4

_RADII = {"small": (0.105, 0.12), "large": (0.18, 0.20)}
_GAP = 0.02
_TRIES = 30


@dataclass(frozen=True, slots=True)
class Shape:
    """One coloured shape.

    Args:
        kind: one of `KINDS`.
        colour: a name of `COLOURS`.
        size: one of `SIZES`.
        x: its centre from the left edge, as a fraction of the picture's side.
        y: its centre from the top edge, likewise.
        radius: of the circle around it, likewise.
        turn: its rotation in degrees.
        paint: the (red, green, blue) it is drawn with, near to that of `colour`.
    """

    kind: str
    colour: str
    size: str
    x: float
    y: float
    radius: float
    turn: float
    paint: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture before it is drawn.

    Args:
        shapes: what is on it; their surrounding circles do not touch.
        background: its (red, green, blue).
    """

    shapes: tuple[Shape, ...]
    background: tuple[int, int, int]


def sample_scene(rng: random.Random, count: int | None = None) -> Scene:
    """A scene of `count` shapes, by default `MIN_SHAPES` to `MAX_SHAPES`.

    Colours and kinds are drawn from a palette of the scene's own that often holds but one or two
    of them: else three shapes of one colour, or a scene without a circle, would be rare.
    """
    count = rng.randint(MIN_SHAPES, MAX_SHAPES) if count is None else count
    colours = rng.sample(list(COLOURS), rng.randint(1, 4))
    kinds = rng.sample(KINDS, rng.randint(1, len(KINDS)))
    sizes = sorted(rng.choice(SIZES) for _ in range(count))  # the large ones are placed first
    circles = _place([rng.uniform(*_RADII[size]) for size in sizes], rng)
    shapes = []
    for size, (x, y, radius) in zip(sizes, circles, strict=True):
        colour = rng.choice(colours)
        kind, turn = rng.choice(kinds), rng.uniform(-12, 12)
        shapes.append(Shape(kind, colour, size, x, y, radius, turn, _paint(colour, rng)))
    grey = rng.randint(226, 246)
    red, green, blue = (grey + rng.randint(-8, 8) for _ in range(3))
    return Scene(tuple(shapes), (red, green, blue))


def _place(radii: list[float], rng: random.Random) -> list[tuple[float, float, float]]:
    """Circles (x, y, radius) that do not touch each other or the edge, in the order of `radii`."""
    while True:
        placed: list[tuple[float, float, float]] = []
        for radius in radii:
            for _ in range(_TRIES):
                low, high = radius + _GAP, 1 - radius - _GAP
                x, y = rng.uniform(low, high), rng.uniform(low, high)
                if all(math.dist((x, y), (a, b)) > radius + r + _GAP for a, b, r in placed):
                    placed.append((x, y, radius))
                    break
            else:
                break
        if len(placed) == len(radii):
            return placed


def _paint(colour: str, rng: random.Random) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, c + rng.randint(-14, 14))) for c in COLOURS[colour])
    return red, green, blue
