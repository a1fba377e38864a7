"""What a model does not read of a text is noted, for every input that is text."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.text.tokens import UNKNOWN


class Words:
    """A tokenizer of one letter a token; a capital is not in its vocabulary."""

    def encode(self, text):
        return [UNKNOWN if letter.isupper() else ord(letter) for letter in text if letter != " "]

    def decode(self, tokens):
        return "".join(map(chr, tokens))


@pytest.mark.parametrize("where", ["--text", "--question", "--prompt"])
@pytest.mark.parametrize(
    ("text", "options", "tokens", "note"),
    [
        ("abc", {}, "abc", ""),
        ("abc", {"max_tokens": 3}, "abc", ""),
        ("abcd", {"max_tokens": 3}, "abc", "the model reads the first 3 of its 4 tokens"),
        (
            "abcd",
            {"max_tokens": 3, "keep": "end"},
            "bcd",
            "the model reads the last 3 of its 4 tokens",
        ),
        ("aXbY", {}, None, "2 of its 4 tokens are not in the vocabulary"),
        ("XY", {}, None, "no token of it is in the vocabulary of the model"),
        ("", {}, "", ""),
    ],
)
def test_truncation_and_unknown_tokens_are_noted(where, text, options, tokens, note):
    options = {"max_tokens": None, "keep": "start", **options}
    read, notes = encode_text(Words(), text, where, **options)
    assert tokens is None or read == [ord(letter) for letter in tokens]
    assert notes == ([f"{where}: {note}"] if note else [])


def test_halves_of_characters_are_refused():
    with pytest.raises(UserError, match="--text: expected a text, got halves of characters"):
        encode_text(Words(), "a\ud83d", "--text", max_tokens=None, keep="start")
