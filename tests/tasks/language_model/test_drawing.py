import io

import numpy as np
from PIL import Image

from rnnpipe.tasks.language_model.drawing import draw_gates, draw_gradient_flow


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def count(picture, colour):
    """How many pixels have about this colour."""
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) < 12).sum())


def test_each_network_has_a_line_and_dashes_where_it_is_clipped():
    curves = {"one": np.array([1.0, 1e-3, 0.0]), "two": np.array([1.0, 10.0, 100.0])}
    plain = pixels(draw_gradient_flow(curves, {}))
    clipped = pixels(draw_gradient_flow(curves, {"two": curves["two"] / 10}))
    blue, orange = (0x2A, 0x5F, 0x9E), (0xC2, 0x56, 0x0C)
    assert count(plain, blue) > 500
    assert 0.9 < count(clipped, blue) / count(plain, blue) < 1.1
    assert count(clipped, orange) > 1.2 * count(plain, orange)


def test_gates_are_red_where_high_and_blue_where_low():
    gates = {"input": np.zeros((6, 3)), "candidate": np.zeros((6, 3))}
    gates["input"][3:] = 1.0
    picture = pixels(draw_gates(list("a $\n\tb"), gates))
    blue, red, white = (5, 48, 97), (103, 0, 31), (247, 247, 247)
    assert count(picture, blue) > 5000
    assert 0.7 < count(picture, red) / count(picture, blue) < 1.3
    assert count(picture, white) > count(picture, red)  # a candidate of 0 lies between -1 and 1
