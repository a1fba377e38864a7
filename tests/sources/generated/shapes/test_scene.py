import itertools
import math
import random
from collections import Counter

from rnnpipe.sources.generated.shapes.scene import (
    COLOURS,
    KINDS,
    MAX_SHAPES,
    MIN_SHAPES,
    SIZES,
    sample_scene,
)

SCENES = [sample_scene(random.Random(seed)) for seed in range(300)]


def test_shapes_neither_touch_nor_leave_the_picture() -> None:
    for scene in SCENES:
        for shape in scene.shapes:
            assert shape.radius <= min(shape.x, shape.y, 1 - shape.x, 1 - shape.y)
        for one, other in itertools.combinations(scene.shapes, 2):
            assert math.dist((one.x, one.y), (other.x, other.y)) > one.radius + other.radius


def test_all_kinds_colours_and_sizes_occur() -> None:
    shapes = [shape for scene in SCENES for shape in scene.shapes]
    assert {shape.kind for shape in shapes} == set(KINDS)
    assert {shape.colour for shape in shapes} == set(COLOURS)
    assert {shape.size for shape in shapes} == set(SIZES)
    counts = Counter(len(scene.shapes) for scene in SCENES)
    assert set(counts) == set(range(MIN_SHAPES, MAX_SHAPES + 1))
    assert min(counts.values()) > 0.5 * max(counts.values())


def test_sizes_are_clearly_apart() -> None:
    radii = {
        size: [s.radius for scene in SCENES for s in scene.shapes if s.size == size]
        for size in SIZES
    }
    assert min(radii["large"]) > 1.3 * max(radii["small"])


def test_drawn_colours_are_nearest_to_their_own_name() -> None:
    for shape in (shape for scene in SCENES for shape in scene.shapes):
        assert min(COLOURS, key=lambda name: math.dist(COLOURS[name], shape.paint)) == shape.colour


def test_scenes_are_equal_for_equal_seeds_only() -> None:
    assert sample_scene(random.Random(3)) == SCENES[3]
    assert len(set(SCENES)) == len(SCENES)
