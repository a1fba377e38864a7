"""What a model does not read of a text is noted, for every input that is text."""

import gzip

import pytest

from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.tasks.translation.prediction import Translator
from rnnpipe.text.tokens import UNKNOWN


class Words:
    """A tokenizer of one letter a token; a capital is not in its vocabulary."""

    def encode(self, text):
        return [UNKNOWN if letter.isupper() else ord(letter) for letter in text if letter != " "]

    def decode(self, tokens):
        return "".join(map(chr, tokens))


@pytest.mark.parametrize("where", ["--text", "--question", "--prompt", "--file f, line 3"])
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
def test_truncation_and_unknown_tokens_are_noted(where, text, options, tokens, note, capsys):
    options = {"max_tokens": None, "keep": "start", **options}
    read = encode_text(Words(), text, where, **options)
    assert tokens is None or read == [ord(letter) for letter in tokens]
    captured = capsys.readouterr()
    assert captured.err == (f"rnnpipe: note: {where}: {note}\n" if note else "")
    assert captured.out == ""


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_a_file_is_named_and_the_output_stays_in_step(
    packed, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("rnnpipe.text.tokenizer.Tokenizer.load", lambda folder: Words())
    path = tmp_path / ("texts.gz" if packed else "texts")
    data = b"ab\n\nabcd\naX\n"
    path.write_bytes(gzip.compress(data) if packed else data)
    translator = Translator(lambda sources: [[] for _ in sources], tmp_path, max_tokens=3)
    assert list(translator.translate_file(path, 1)) == ["\n"] * 4
    assert capsys.readouterr().err.splitlines() == [
        f"rnnpipe: note: --file {path}, line 3: the model reads the first 3 of its 4 tokens",
        f"rnnpipe: note: --file {path}, line 4: 1 of its 2 tokens are not in the vocabulary",
    ]
