"""One whole shape among fragments of others, as a picture."""

import math
import random

from PIL import Image, ImageDraw

from rnnpipe.sources.generated.shapes.scene import COLOURS

KINDS = ("circle", "cross", "pentagon", "square", "star", "triangle")

_OVERSAMPLING = 4
_BACKGROUND = (236, 235, 231)
_RADII = (0.11, 0.15)  # of a shape, as a fraction of the picture's side
_FRAGMENT = 0.1  # height and width of a fragment, likewise
_ARM = 0.33  # half the width of a cross' arms, as a fraction of its radius

Point = tuple[float, float]


def draw_cluttered(rng: random.Random, kind: str, size: int, fragments: int) -> Image.Image:
    """A picture of one whole shape, at a random place, before fragments of random shapes.

    Colour, size, place and rotation are random and tell nothing of the kind; a fragment is cut from
    the rim of a shape, so that no edge or corner alone does either.

    Args:
        rng: decides everything.
        kind: of the whole shape, one of `KINDS`.
        size: the picture's side in pixels.
        fragments: how many of them there are.
    """
    side = size * _OVERSAMPLING
    picture = Image.new("RGB", (side, side), _BACKGROUND)
    for _ in range(fragments):
        _paste_fragment(picture, rng)
    radius = rng.uniform(*_RADII) * side
    x, y = (rng.uniform(radius, side - radius) for _ in range(2))
    corners = outline(kind, (x, y), radius, rng.uniform(0, 360))
    ImageDraw.Draw(picture).polygon(corners, _paint(rng))
    return picture.reduce(_OVERSAMPLING)


def outline(kind: str, centre: Point, radius: float, turn: float) -> list[Point]:
    """The corners of a shape.

    Args:
        kind: one of `KINDS`.
        centre: its x and y.
        radius: of the circle around it, in the same unit.
        turn: its rotation in degrees.

    Example:
        >>> [(round(x), round(y)) for x, y in outline("square", (0, 0), 10, 45)]
        [(7, -7), (7, 7), (-7, 7), (-7, -7)]
    """
    match kind:
        case "cross":
            arm = [(-_ARM, -_reach()), (_ARM, -_reach()), (_ARM, -_ARM)]
            points = [_turn(point, 90 * quarter) for quarter in range(4) for point in arm]
        case "star":
            points = _ring(10, radii=(1.0, 0.45))
        case _:
            points = _ring({"circle": 48, "pentagon": 5, "square": 4, "triangle": 3}[kind])
    x, y = centre
    turned = (_turn(point, turn) for point in points)
    return [(x + radius * across, y + radius * down) for across, down in turned]


def _ring(corners: int, radii: tuple[float, ...] = (1.0,)) -> list[Point]:
    """Points around the origin, the first one above it."""
    return [
        _turn((0.0, -radii[corner % len(radii)]), 360 * corner / corners)
        for corner in range(corners)
    ]


def _reach() -> float:
    """How far a cross' arms go for its corners to lie on the unit circle."""
    return math.sqrt(1 - _ARM**2)


def _turn(point: Point, degrees: float) -> Point:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine


def _paste_fragment(picture: Image.Image, rng: random.Random) -> None:
    side = picture.width
    radius, cut = rng.uniform(*_RADII) * side, round(_FRAGMENT * side)
    angle = rng.uniform(0, 2 * math.pi)
    # The window is at the origin, the shape beside it, so that its rim runs through the window.
    away = 0.8 * radius
    centre = cut / 2 - away * math.cos(angle), cut / 2 - away * math.sin(angle)
    window = Image.new("L", (cut, cut), 0)
    corners = outline(rng.choice(KINDS), centre, radius, rng.uniform(0, 360))
    ImageDraw.Draw(window).polygon(corners, 255)
    place = (rng.randrange(side - cut), rng.randrange(side - cut))
    picture.paste(_paint(rng), place, window)


def _paint(rng: random.Random) -> tuple[int, int, int]:
    return rng.choice(list(COLOURS.values()))
