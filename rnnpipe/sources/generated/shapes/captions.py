"""What people say of a scene: five different captions, all of them true.

What is said follows from the picture: one shape is placed, of two it is said how they stand, three
are described from left to right. Only scenes of which that is plain to see are taken.
"""

import random
from collections.abc import Iterator
from itertools import pairwise

from rnnpipe.sources.generated.shapes.scene import Scene, Shape, sample_scene

CAPTIONS = 5

_COUNTS = {1: 0.25, 2: 0.4, 3: 0.35}
"""How many shapes, and how often."""

_MIDDLE, _OFF_MIDDLE = 0.1, 0.17
_APART, _IN_A_ROW = 0.25, 0.14
_CLEARLY = 0.08
"""How much farther shapes are apart in the direction that is described than in the other one."""

_PLACES = {
    ("x", False): "on the left",
    ("x", True): "on the right",
    ("y", False): "at the top",
    ("y", True): "at the bottom",
}
_RELATIONS = {"x": ("to the left of", "to the right of"), "y": ("above", "below")}
_OTHER_WORDS = {"large": "big", "small": "little"}


def sample_captioned_scene(rng: random.Random) -> Scene:
    """A scene of one to three different shapes that captions can describe plainly."""
    count = rng.choices(list(_COUNTS), list(_COUNTS.values()))[0]
    while True:
        scene = sample_scene(rng, count)
        if _is_plain(scene):
            return scene


def write_captions(scene: Scene, rng: random.Random) -> list[str]:
    """Five different captions; the first two are said of every scene, the others are drawn.

    Args:
        scene: of `sample_captioned_scene`.
        rng: draws them.
    """
    first, second, *others = _WAYS[len(scene.shapes)](scene.shapes, rng)
    chosen = [first, second, *rng.sample(others, CAPTIONS - 2)]
    return [f"{caption[0].upper()}{caption[1:]}." for caption in chosen]


def _is_plain(scene: Scene) -> bool:
    shapes = scene.shapes
    if len({(shape.colour, shape.kind) for shape in shapes}) < len(shapes):
        return False
    if len(shapes) == 1:
        far, near = sorted((abs(shapes[0].x - 0.5), abs(shapes[0].y - 0.5)), reverse=True)
        return far <= _MIDDLE or (far >= _OFF_MIDDLE and far >= near + _CLEARLY)
    if len(shapes) == 2:
        one, other = map(_centre, shapes)
        near, far = sorted((abs(one[0] - other[0]), abs(one[1] - other[1])))
        return far >= max(_APART, near + _CLEARLY)
    row = sorted(shape.x for shape in shapes)
    return all(right - left >= _IN_A_ROW for left, right in pairwise(row))


def _centre(shape: Shape) -> tuple[float, float]:
    return shape.x, shape.y


def _say_one(shapes: tuple[Shape, ...], rng: random.Random) -> Iterator[str]:
    (one,) = shapes
    offsets = {"x": one.x - 0.5, "y": one.y - 0.5}
    axis = max(offsets, key=lambda axis: abs(offsets[axis]))
    place = _PLACES[axis, offsets[axis] > 0]
    if abs(offsets[axis]) <= _MIDDLE:
        place = "in the middle"
    yield f"{_whole(one)} {place}"
    yield f"there is {_whole(one)} {place}"
    yield f"{_loosely(one, rng)} is {place} of the picture"
    yield f"the picture shows {_whole(one)} {place}"
    yield f"{place} of the picture there is {_loosely(one, rng)}"
    yield f"{_loosely(one, rng)} {place} of the picture"


def _say_two(shapes: tuple[Shape, ...], rng: random.Random) -> Iterator[str]:
    axis = max("xy", key=lambda axis: abs(getattr(shapes[0], axis) - getattr(shapes[1], axis)))
    one, other = sorted(shapes, key=lambda shape: float(getattr(shape, axis)))
    before, after = _RELATIONS[axis]
    yield f"{_whole(one)} {before} {_whole(other)}"
    yield f"there is {_whole(one)} {before} {_whole(other)}"
    yield f"{_loosely(one, rng)} is {before} {_loosely(other, rng)}"
    yield f"{_whole(other)} {after} {_whole(one)}"
    yield f"{_loosely(one, rng)} and {_loosely(other, rng)}"
    yield f"the picture shows {_whole(one)} {before} {_whole(other)}"


def _say_three(shapes: tuple[Shape, ...], rng: random.Random) -> Iterator[str]:
    one, middle, last = map(_briefly, sorted(shapes, key=lambda shape: shape.x))
    yield f"{one}, {middle} and {last}"
    yield f"there is {one}, {middle} and {last}"
    yield f"from left to right: {one}, {middle} and {last}"
    yield f"{middle} between {one} and {last}"
    yield f"{one} to the left of {middle} and {last}"
    yield f"the picture shows {one}, {middle} and {last}"


_WAYS = {1: _say_one, 2: _say_two, 3: _say_three}


def _whole(shape: Shape) -> str:
    return f"a {shape.size} {shape.colour} {shape.kind}"


def _loosely(shape: Shape, rng: random.Random) -> str:
    """The same in other words, or without its size."""
    size = rng.choice((f"{_OTHER_WORDS[shape.size]} ", ""))
    return _with_article(f"{size}{shape.colour} {shape.kind}")


def _briefly(shape: Shape) -> str:
    return _with_article(f"{shape.colour} {shape.kind}")


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
