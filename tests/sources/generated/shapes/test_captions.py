import random
from collections import Counter

import pytest

from rnnpipe.sources.generated.shapes.captions import (
    CAPTIONS,
    sample_captioned_scene,
    write_captions,
)
from rnnpipe.sources.generated.shapes.scene import Scene, Shape

PAINT = (0, 0, 0)


def shape(kind, colour, size, x, y):
    return Shape(kind, colour, size, x, y, 0.1, 0.0, PAINT)


def scene(*shapes):
    return Scene(shapes, PAINT)


RED = shape("circle", "red", "large", 0.2, 0.4)
BLUE = shape("square", "blue", "small", 0.7, 0.5)
ORANGE = shape("triangle", "orange", "small", 0.5, 0.8)


@pytest.mark.parametrize(
    ("shapes", "first", "second"),
    [
        ([RED], "A large red circle on the left.", "There is a large red circle on the left."),
        (
            [BLUE, RED],
            "A large red circle to the left of a small blue square.",
            "There is a large red circle to the left of a small blue square.",
        ),
        (
            [ORANGE, shape("circle", "red", "large", 0.4, 0.2)],
            "A large red circle above a small orange triangle.",
            "There is a large red circle above a small orange triangle.",
        ),
        (
            [BLUE, RED, ORANGE],
            "A red circle, an orange triangle and a blue square.",
            "There is a red circle, an orange triangle and a blue square.",
        ),
    ],
)
def test_captions_describe_the_scene(shapes, first, second):
    captions = write_captions(scene(*shapes), random.Random(1))
    assert captions[:2] == [first, second]
    assert len(set(captions)) == CAPTIONS


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        (0.75, 0.5, "on the right"),
        (0.5, 0.25, "at the top"),
        (0.5, 0.75, "at the bottom"),
        (0.52, 0.48, "in the middle"),
    ],
)
def test_a_single_shape_is_described_by_its_place(x, y, place):
    captions = write_captions(scene(shape("circle", "red", "large", x, y)), random.Random(1))
    assert captions[0] == f"A large red circle {place}."


def test_captions_follow_from_the_picture_and_none_is_frequent():
    drawn = [random.Random(number) for number in range(300)]
    scenes = [sample_captioned_scene(rng) for rng in drawn]
    captions = [write_captions(*pair) for pair in zip(scenes, drawn, strict=True)]
    assert {len(one.shapes) for one in scenes} == {1, 2, 3}
    assert all(len(set(five)) == CAPTIONS for five in captions)
    firsts = Counter(five[0] for five in captions)
    assert max(firsts.values()) < 0.03 * len(scenes)
    openings = Counter(" ".join(caption.split()[:2]) for five in captions for caption in five)
    assert len(openings) > 10
