import io

import numpy as np
import pytest
from PIL import Image

from rnnpipe.report.image_heatmap import (
    PICTURE_WIDTH,
    draw_attention,
    draw_glimpses,
    draw_image,
    draw_strip,
)


def pixels(png):
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB")).astype("int64")


def grey(height, width, level=160):
    return np.full((height, width, 3), level, "uint8")


def spot(row, column, size=8):
    alignment = np.zeros((size, size), "float32")
    alignment[row, column] = 1
    return alignment


@pytest.mark.parametrize(("height", "width"), [(8, 8), (64, 64), (480, 640), (1, 900)])
def test_image_keeps_its_proportions_and_colours(height, width):
    image = grey(height, width)
    image[..., 0] = 40

    drawn = pixels(draw_image(image))

    expected = max(2, round(PICTURE_WIDTH * height / width))
    assert drawn.shape == (expected, PICTURE_WIDTH, 3)
    np.testing.assert_allclose(drawn[expected // 2, 100], [40, 160, 160], atol=2)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 6), (7, 3)])
def test_veil_is_lifted_where_the_attention_is(row, column):
    drawn = pixels(draw_attention(grey(64, 64), spot(row, column), width=240))

    at = (slice(row * 30 + 14, row * 30 + 16), slice(column * 30 + 14, column * 30 + 16))
    np.testing.assert_allclose(drawn[at], 160, atol=12)  # clear: the image's own colour
    far = drawn[(row * 30 + 120) % 240, (column * 30 + 120) % 240]
    assert far.max() < 110  # dark, and still not black
    assert far.min() > 40


def test_more_weight_lifts_the_veil_more():
    alignment = 0.6 * spot(1, 1) + 0.25 * spot(1, 6) + 0.15 * spot(6, 1)
    drawn = pixels(draw_attention(grey(64, 64), alignment, width=240))

    def covered(row, column):
        return np.abs(drawn[row * 30 + 15, column * 30 + 15] - 160).sum()

    assert covered(1, 1) < covered(1, 6) < covered(6, 1) < covered(6, 6)


def test_row_and_column_are_not_confused():
    alignment = np.zeros((2, 4))
    alignment[0, 3] = 1
    drawn = pixels(draw_attention(grey(50, 100), alignment, width=200))

    assert drawn.shape == (100, 200, 3)
    assert np.abs(drawn[10, 190] - 160).max() < 12
    for row, column in [(90, 190), (10, 10), (90, 10)]:
        assert drawn[row, column].max() < 110


@pytest.mark.parametrize("noise", [0, 1e-7])
def test_uniform_attention_highlights_nothing(noise):
    alignment = np.full((8, 8), 1 / 64) + noise * np.random.default_rng(0).normal(size=(8, 8))
    drawn = pixels(draw_attention(grey(64, 64), alignment))
    assert np.ptp(drawn, axis=(0, 1)).max() <= 2


def test_scale_of_the_weights_does_not_matter():
    alignment = np.random.default_rng(0).random((6, 6))
    once, halved = (pixels(draw_attention(grey(60, 60), factor * alignment)) for factor in (1, 0.5))
    np.testing.assert_allclose(once, halved, atol=2)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_alignment_of_a_diverged_model_is_drawn_flat(value):
    drawn = pixels(draw_attention(grey(64, 64), np.full((8, 8), value)))
    assert np.ptp(drawn, axis=(0, 1)).max() == 0


@pytest.mark.parametrize(
    ("image", "alignment", "message"),
    [
        (np.zeros((8, 8, 3)), np.ones((2, 2)), r"image: expected uint8 .* got float64 \(8, 8, 3\)"),
        (np.zeros((8, 8), "uint8"), np.ones((2, 2)), r"image: expected .* got uint8 \(8, 8\)"),
        (grey(8, 8), np.ones((1, 2, 2)), r"alignment: expected \(rows, columns\), got \(1, 2, 2\)"),
    ],
)
def test_wrong_shapes_are_refused(image, alignment, message):
    with pytest.raises(ValueError, match=message):
        draw_attention(image, alignment)


@pytest.mark.parametrize("glimpses", [0, 1, 3])
def test_glimpses_are_concatenated(glimpses):
    alignments = np.zeros((glimpses, 4, 4))
    alignments[:, 1, 1] = 1
    drawn = pixels(draw_glimpses(grey(64, 64), alignments, "What is it?", [("red", 0.8)]))

    # Panels start 0.3 inches from the left and 3.1 inches from each other, at 150 pixels an inch.
    line = drawn.shape[0] // 2
    assert drawn.shape[1] == 150 * (0.6 + 3.1 * (1 + glimpses) - 0.2)
    for panel in range(1 + glimpses):
        left = round(150 * (0.3 + 3.1 * panel))
        inside = drawn[line, left + 420]  # far from the spot
        assert inside.max() < 110 if panel else np.abs(inside - 160).max() <= 2
        assert drawn[line, left - 15].min() == 255


def test_bars_are_as_long_as_the_probabilities():
    answers = [("red", 0.75), ("blue", 0.25), ("green", 0.0)]
    drawn = pixels(draw_glimpses(grey(64, 64), np.ones((1, 2, 2)), "Q", answers))

    bars = np.abs(drawn - [0x2A, 0x5F, 0x9E]).sum(-1) < 12
    lengths = bars.sum(1)
    rows = drawn.shape[0] - 150 * (0.3 + 0.3 * np.array([2.5, 1.5, 0.5]))
    first, second, third = lengths[np.rint(rows).astype(int)]
    assert first == pytest.approx(3 * second, rel=0.02)
    assert third == 0


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 or $6?",
        r"$\frac{",
        "",
        "これは何ですか",
        "why " * 500,
        "x" * 3000,
        "a\nb\t<b>&amp;",
    ],
    ids=["dollars", "broken formula", "empty", "no glyphs", "many words", "one word", "marks"],
)
def test_any_text_can_be_a_title_and_an_answer(text):
    drawn = pixels(draw_glimpses(grey(64, 64), np.ones((1, 2, 2)), text, [(text, 0.5)]))
    assert drawn.shape[1] == 150 * 6.6
    assert drawn.shape[0] < 150 * 6


def test_image_of_one_row_of_pixels_can_be_attended_to():
    assert pixels(draw_attention(grey(1, 900), np.eye(4))).shape == (2, PICTURE_WIDTH, 3)


def test_a_strip_has_the_image_and_a_picture_of_each_word():
    image = np.full((32, 32, 3), 200, "uint8")
    sizes = {}
    for count in (0, 3, 9):
        looks = np.full((count, 4, 4), 1 / 16)
        png = draw_strip(image, ["a $ word"] * count, looks if count else None)
        sizes[count] = Image.open(io.BytesIO(png)).size
    assert sizes[0][0] < sizes[3][0] < sizes[9][0]
    assert sizes[9][1] > 1.8 * sizes[3][1]  # it goes on in a second line
    large = draw_strip(grey(60, 40), ["word"], np.full((1, 4, 4), 1 / 16), panel=240)
    assert pixels(large).shape == (360 + 26 + 8, 2 * (240 + 8) + 8, 3)
    with pytest.raises(ValueError, match="zip"):
        draw_strip(image, ["one"], np.zeros((2, 4, 4)))
