import json
import random

import pytest

from rnnpipe.metrics.scene_captions import Mention, caption_is_true, find_mentions
from rnnpipe.sources.generated.shapes.caption_writer import describe
from rnnpipe.sources.generated.shapes.captions import sample_captioned_scene, write_captions

CIRCLE = {"kind": "circle", "colour": "red", "size": "large", "x": 0.2, "y": 0.3}
SQUARE = {"kind": "square", "colour": "blue", "size": "small", "x": 0.5, "y": 0.5}
TRIANGLE = {"kind": "triangle", "colour": "orange", "size": "small", "x": 0.8, "y": 0.75}
SCENE = {"shapes": [TRIANGLE, CIRCLE, SQUARE]}


@pytest.mark.parametrize(
    "caption",
    [
        "A red circle.",
        "a big red circle on the left",
        "There is a little blue square in the middle.",
        "At the bottom of the picture there is an orange triangle.",
        "A red circle to the left of a blue square.",
        "a red circle is left of a blue square and an orange triangle",
        "A small orange triangle below a small blue square",
        "A circle above a square",
        "A small triangle to the right of a small square.",
        "A red circle, a blue square and an orange triangle.",
        "There are a blue square, an orange triangle and a red circle.",
        "From left to right: a red circle, a blue square and an orange triangle.",
        "A blue square between a red circle and an orange triangle.",
        "A blue square between an orange triangle and a red circle.",
        "The picture shows a large red circle and a small blue square.",
    ],
)
def test_true_captions_are_recognised(caption):
    assert caption_is_true(caption, SCENE)
    assert caption_is_true(caption, json.dumps(SCENE))


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "A green circle.",  # no such colour
        "A small red circle.",  # another size
        "A red square.",  # of two shapes
        "A red circle on the right.",
        "A red circle in the middle.",
        "A red circle at the bottom of the picture.",
        "A blue square to the left of a red circle.",
        "A blue square left of an orange triangle and a red circle.",  # of one, not of both
        "A red circle below a blue square",
        "From left to right: a blue square, a red circle and an orange triangle.",
        "A red circle between a blue square and an orange triangle.",
        "A red circle and a red circle.",  # there is but one
        "A red circle, a circle and a blue square.",
        "A red circle, a blue square, an orange triangle and a square.",  # more than there are
        "a red red circle",
        "A red circle to the left of",
        "circle red a",
        "a red <unk>",
    ],
)
def test_untrue_captions_are_recognised(caption):
    assert not caption_is_true(caption, SCENE)


def test_a_relation_needs_a_clear_distance():
    near = {"shapes": [CIRCLE, {**SQUARE, "x": 0.26}]}
    assert not caption_is_true("a red circle to the left of a blue square", near)
    assert caption_is_true("a red circle above a blue square", near)


def split(caption):
    return caption.split()


def test_words_are_assigned_to_the_shapes_they_name():
    words = split("a small triangle to the right of a square")
    assert find_mentions(words, SCENE) == [Mention(0, 3, 0), Mention(7, 9, 2)]
    listed = split("a red circle , a blue square and an orange triangle .")
    assert [m.shape for m in find_mentions(listed, SCENE) or []] == [1, 2, 0]
    assert find_mentions(split("a green circle"), SCENE) is None


def test_a_relation_selects_among_equal_shapes():
    twins = {"shapes": [{**CIRCLE, "x": 0.8}, CIRCLE]}
    words = split("a red circle to the left of a red circle")
    assert [m.shape for m in find_mentions(words, twins) or []] == [1, 0]


def test_generated_captions_are_true_and_swapped_ones_are_not():
    attributes = {"red": "blue", "circle": "square", "large": "small"}
    relations = {"left": "right", "above": "below", "top": "bottom"}
    swapped = 0
    for number in range(200):
        rng = random.Random(number)
        scene = sample_captioned_scene(rng)
        described, captions = describe(scene), write_captions(scene, rng)
        assert all(caption_is_true(caption, described) for caption in captions)
        first = captions[0].lower()
        swaps = {**relations, **(attributes if len(scene.shapes) == 1 else {})}
        for changed in {first.replace(*swap) for swap in swaps.items()} - {first}:
            swapped += 1
            assert not caption_is_true(changed, described), changed
    assert swapped > 100
