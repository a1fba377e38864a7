import pytest

from rnnpipe.errors import Faults
from rnnpipe.settings import Settings, setting
from rnnpipe.tasks.inputs import Input, integer, parse_inputs, setting_inputs

DECLARED = [
    Input("image", "an image file"),
    Input("n-best", "how many", integer(1), default=None),
    Input("stream", "a flag", bool, default=False),
]


class Sampling(Settings):
    top_k: int | None = setting(None, "how many", ge=1)
    method: str = setting("plain", "how")


def test_texts_are_converted_and_defaults_added():
    assert parse_inputs("vqa", DECLARED, {"image": "a.jpg"}) == {
        "image": "a.jpg",
        "n-best": None,
        "stream": False,
    }
    texts = {"image": "a.jpg", "n-best": "3", "stream": True}
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
def test_only_integers_above_the_minimum_are_accepted(text):
    with pytest.raises(ValueError, match="an integer of at least 1"):
        integer(1)(text)


def test_settings_are_inputs_of_their_names_helps_and_checks():
    options = Sampling(top_k=4)
    top_k, method = setting_inputs(options)
    assert (top_k.name, top_k.help, top_k.default) == ("top-k", "how many", 4)
    assert (method.name, method.help, method.default) == ("method", "how", "plain")
    with pytest.raises(Faults) as raised:
        parse_inputs("vqa", [top_k], {"top-k": "0"})
    expected = "--top-k: expected a positive integer or null, got 0; correct --top-k"
    assert str(raised.value) == expected
    inputs = parse_inputs("vqa", [top_k, method], {"top-k": "7"})
    assert inputs == {"top-k": 7, "method": "plain"}
