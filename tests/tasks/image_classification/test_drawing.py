from io import BytesIO

import numpy as np
from PIL import Image

from rnnpipe.tasks.image_classification.drawing import draw_glimpse_path, glimpse_centers

LOOKS = np.zeros((3, 4, 8))
LOOKS[0, 0, 0] = LOOKS[1, 3, 7] = 1  # opposite corners
LOOKS[2] = 1 / 32


def test_a_path_connects_the_centres_of_the_glimpses():
    expected = [[1 / 16, 1 / 8], [15 / 16, 7 / 8], [0.5, 0.5]]
    np.testing.assert_allclose(glimpse_centers(LOOKS), expected)


def test_glimpses_are_drawn_at_their_positions():
    image = np.full((40, 80, 3), 200, "uint8")
    pixels = np.asarray(Image.open(BytesIO(draw_glimpse_path(image, LOOKS))).convert("RGB"), int)
    height, width, _ = pixels.shape
    discs = np.abs(pixels - (194, 86, 12)).sum(axis=2) < 30
    left, right = discs[: height // 2, : width // 4], discs[height // 2 :, -width // 4 :]
    assert left.any()
    assert right.any()
    assert not discs[height // 2 + height // 4 :, : width // 4].any()


def test_answers_are_drawn_below_the_image():
    image = np.zeros((40, 40, 3), "uint8")
    plain, answered = (
        Image.open(BytesIO(draw_glimpse_path(image, LOOKS, answers=answers)))
        for answers in ((), [("star", 0.9), ("cross", 0.1)])
    )
    assert answered.height > plain.height
