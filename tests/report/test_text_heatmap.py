import io

import numpy as np
import pytest
from PIL import Image

from rnnpipe.report.items import Span
from rnnpipe.report.text_heatmap import _COLUMNS, _place, attention_spans, draw_text_heatmap


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), "int32")


def shaded(png):
    """How many pixels are of the attention_spans's hue: red well above blue."""
    picture = pixels(png)
    return int(np.sum(picture[..., 0] - picture[..., 2] > 40))


def test_weights_are_the_mean_of_the_glimpses_between_none_and_the_most():
    spans = attention_spans(["▁un", "like", "▁any"], np.array([[0.5, 0.3, 0.2], [0.3, 0.1, 0.6]]))
    assert [span.text for span in spans] == [" un", "like", " any"]
    assert [span.weight for span in spans] == pytest.approx([0.5, 0, 0.5])  # means .4, .2, .4


def test_uniform_or_absent_attention_shades_nothing():
    even = attention_spans(["▁a", "▁b"], np.array([[0.5, 0.5]]))
    assert even == attention_spans(["▁a", "▁b"], None) == [Span(" a"), Span(" b")]
    assert attention_spans([], np.zeros((1, 0))) == []


def test_nan_is_not_shaded():
    assert attention_spans(["▁a", "▁b"], np.array([[np.nan, np.nan]])) == [Span(" a"), Span(" b")]


def test_every_subword_needs_a_weight():
    with pytest.raises(ValueError, match="zip"):
        attention_spans(["▁a", "▁b"], np.array([[1.0]]))


def test_only_attended_words_are_shaded():
    words = [" the", " film", " is", " good"]
    answers = [("pos", 0.8), ("neg", 0.2)]
    plain = draw_text_heatmap([Span(word) for word in words], answers)
    dark = draw_text_heatmap([Span(word, float(word == " good")) for word in words], answers)
    darker = draw_text_heatmap([Span(word, float(word != " the")) for word in words], answers)
    assert shaded(plain) == 0
    assert 0 < shaded(dark) < shaded(darker)


def test_lines_break_between_words_only():
    spans = [Span(" " + "a" * 40), Span("b" * 4), Span(" " + "c" * 40), Span(" d")]
    placed = [(line, column, span.text[0]) for line, column, span in _place(spans)]
    assert placed == [(0, 0, "a"), (0, 40, "b"), (1, 0, "c"), (1, 41, "d")]


def test_words_longer_than_a_line_are_cut_and_lose_nothing():
    placed = _place([Span(" " + "x" * 300, 1.0), Span(" y")])
    assert "".join(span.text for _, _, span in placed) == "x" * 300 + "y"
    assert all(column + len(span.text) <= _COLUMNS for _, column, span in placed)


def test_wide_characters_occupy_two_columns():
    (_, _, _), (_, column, _) = _place([Span(" 映画"), Span(" a")])
    assert column == 5


def test_a_long_text_is_truncated_in_the_drawing():
    long = pixels(draw_text_heatmap([Span(" word", 0.1)] * 5000, []))
    longer = pixels(draw_text_heatmap([Span(" word", 0.1)] * 9000, []))
    assert long.shape == longer.shape
    assert _place([Span(" word")] * 5000)[-1][2].text == "…"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["", " $x_1$ \\frac", " 映画", " \x1b[0m", " 👍", " a\nb"])
def test_any_text_is_drawn(text):
    assert draw_text_heatmap([Span(text, 0.5)] if text else [], [("pos", 1.0)]).startswith(
        b"\x89PNG"
    )
