import pytest

from rnnpipe.errors import Faults
from rnnpipe.tasks.inputs import Input, integer, parse_inputs, positive_number

DECLARED = [
    Input("image", "an image file"),
    Input("n-best", "how many", integer(1), default=None),
    Input("stream", "a flag", bool, default=False),
]


def test_texts_are_converted_and_defaults_added():
    assert parse_inputs("vqa", DECLARED, {"image": "a.jpg"}) == {
        "image": "a.jpg",
        "n-best": None,
        "stream": False,
    }
    texts = {"image": "a.jpg", "n-best": "3", "stream": ""}
    assert parse_inputs("vqa", DECLARED, texts) == {"image": "a.jpg", "n-best": 3, "stream": True}


def test_all_mistakes_are_reported_at_once():
    with pytest.raises(Faults) as raised:
        parse_inputs("vqa", DECLARED, {"n-best": "0", "text": "a"})
    assert str(raised.value).splitlines() == [
        "--image: expected an input of vqa, got none; add --image",
        "--n-best: expected an integer of at least 1, got 0; correct --n-best",
        "--text: expected one of image, n-best, stream, got text; vqa has no such input",
    ]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "١", "one"])
def test_what_is_no_integer_above_the_minimum_is_refused(text):
    with pytest.raises(ValueError, match="an integer of at least 1"):
        integer(1)(text)


@pytest.mark.parametrize("text", ["0", "-0.5", "nan", "inf", "", "warm"])
def test_what_is_no_positive_number_is_refused(text):
    with pytest.raises(ValueError, match="a number above 0"):
        positive_number(text)
