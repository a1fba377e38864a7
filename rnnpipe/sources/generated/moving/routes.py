"""How a shape moves: a route of several legs, in each of which it goes one way."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from types import MappingProxyType

STEPS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "still": (0, 0)}
)
"""Each motion's direction: x to the right, y downwards."""

ROUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "clockwise": ("right", "down", "left", "up"),
        "anticlockwise": ("right", "up", "left", "down"),
        "sideways": ("left", "right"),
        "upright": ("up", "down"),
        "halting": ("go", "still"),
    }
)
"""What a clip is called → the motions that it repeats, from any of them on; `go` is any way."""

_FEWEST, _MOST = 24, 32  # frames of a clip
_LEG = (4, 8)  # frames
_SPEEDS = (0.05, 0.09)  # of the picture's side, in each frame


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a shape is in each frame.

    Args:
        route: a name of `ROUTES`.
        motions: how it came to where it is, for each frame.
        places: the shape's centre (x, y) as fractions of the picture's side, for each frame; what
            leaves on one side comes in on the other.
    """

    route: str
    motions: tuple[str, ...]
    places: tuple[tuple[float, float], ...]


def sample_walk(rng: random.Random) -> Walk:
    """A walk along any route, from any place, at any speed.

    The picture has no edges: all places are equally likely at all times and in all motions, so a
    single frame says nothing about how its shape moves.
    """
    route, frames = rng.choice(list(ROUTES)), rng.randint(_FEWEST, _MOST)
    motions = tuple(islice(_legs(route, rng), frames))
    speed, x, y = rng.uniform(*_SPEEDS), rng.random(), rng.random()
    places = []
    for motion in motions:
        right, down = STEPS[motion]
        x, y = (x + right * speed) % 1, (y + down * speed) % 1
        places.append((x, y))
    return Walk(route, motions, tuple(places))


def _legs(route: str, rng: random.Random) -> Iterator[str]:
    motions, first = ROUTES[route], rng.randrange(len(ROUTES[route]))
    for motion in islice(cycle(motions), first, None):
        way = rng.choice(["left", "right", "up", "down"]) if motion == "go" else motion
        for _ in range(rng.randint(*_LEG)):
            yield way
