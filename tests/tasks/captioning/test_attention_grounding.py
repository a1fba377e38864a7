import json

import numpy as np
import pytest

from rnnpipe.tasks.captioning.attention_grounding import attention_on_objects, covered_cells

RED = {"kind": "circle", "colour": "red", "size": "small", "x": 0.25, "y": 0.25, "radius": 0.1}
BLUE = {"kind": "square", "colour": "blue", "size": "large", "x": 0.75, "y": 0.75, "radius": 0.2}
SCENE = json.dumps({"shapes": [RED, BLUE]})


def test_the_cells_of_a_shape_are_those_that_its_circle_touches():
    assert covered_cells(RED, (2, 2)).tolist() == [[True, False], [False, False]]
    assert covered_cells({**RED, "radius": 0.3}, (2, 2)).tolist() == [[True, True], [True, False]]
    assert covered_cells(BLUE, (4, 2)).tolist() == [[False, False]] * 2 + [[False, True]] * 2


def test_attention_is_counted_at_the_words_of_a_shape():
    pieces = ["▁a", "▁red", "▁circle", "▁and", "▁a", "▁blue", "▁squ", "are"]
    looks = np.full((8, 2, 2), 0.25)
    looks[1:3] = [[1, 0], [0, 0]]  # at the circle while it is named
    looks[5:8] = [[1, 0], [0, 0]]  # and at the circle while the square is
    looks[7] = [[0, 0], [0, 1]]
    first, second = attention_on_objects(pieces, looks, SCENE)
    assert first == (1.0, 0.25)
    assert second == pytest.approx((0.25, 0.25))  # half of the second of two words


def test_an_untrue_caption_refers_to_no_shape():
    assert attention_on_objects(["▁a", "▁blue", "▁circle"], np.zeros((3, 2, 2)), SCENE) == []
