import io

import numpy as np
import pytest
from PIL import Image

from rnnpipe.report.alignment_heatmap import draw_alignment, join_pieces


def test_words_are_summed_over_the_source_and_averaged_over_the_target():
    alignment = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.0, 0.9, 0.1]])
    joined, source, target = join_pieces(
        alignment, ["▁rain", "bow", "▁fish"], ["▁ein", "▁vis", "ch."]
    )
    assert (source, target) == (["rainbow", "fish"], ["ein", "visch."])
    np.testing.assert_allclose(joined, [[0.3, 0.7], [0.85, 0.15]])
    np.testing.assert_allclose(joined.sum(axis=1), 1)


def test_a_text_may_begin_inside_a_word():
    _, source, target = join_pieces(np.ones((1, 2)) / 2, ["ab", "▁c"], ["<unk>"])
    assert (source, target) == (["ab", "c"], ["<unk>"])


def test_the_picture_is_darkest_where_the_weight_is():
    alignment = np.eye(3)
    png = draw_alignment(alignment, ["ein", "$x_", "hund"], ["a", "<unk>", "dog"])
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"), "float64")
    cells = pixels[-150:-20, -150:-20]  # 0.3 inches a cell at 150 dots each, and a margin
    size = len(cells) // 3
    blocks = cells[: 3 * size, : 3 * size].reshape(3, size, 3, size)
    assert blocks.mean(axis=(1, 3)).argmin(axis=1).tolist() == [0, 1, 2]


def test_nan_is_not_drawn():
    assert draw_alignment(np.full((1, 2), np.nan), ["a", "b"], ["c"]).startswith(b"\x89PNG")


def test_other_shapes_than_the_words_are_refused():
    with pytest.raises(ValueError, match=r"expected \(1, 2\), got \(2, 1\)"):
        draw_alignment(np.ones((2, 1)), ["a", "b"], ["c"])
