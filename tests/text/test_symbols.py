import pytest

from rnnpipe.errors import UserError
from rnnpipe.text.symbols import Symbols, TokenizedLines, learn_symbols
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN


def test_characters_come_back_as_they_were():
    text = "\tTo  be,\n\nor “not”\r\n"
    symbols = learn_symbols(dict.fromkeys(text, 1), "char", 100)
    assert symbols.decode(symbols.encode(text)) == text
    assert symbols.size == 4 + len(set(text))


def test_words_are_set_apart_by_spaces_and_line_breaks():
    text = "to be\nor not to be\n\nthat is"
    symbols = learn_symbols(dict.fromkeys([*text.split(), "\n"], 1), "word", 100)
    assert symbols.decode(symbols.encode(text)) == text
    assert list(symbols.stream(symbols.encode("to be\nor"))) == ["to", " be", "\n", "or"]


def test_special_ids_have_no_text_but_the_unknown():
    assert Symbols("char", "ab").decode([START, 4, UNKNOWN, 5, END, PAD]) == "a\ufffdb"
    assert Symbols("word", ["a"]).decode([START, 4, PAD, UNKNOWN, 4]) == "a <unk> a"


def test_the_most_frequent_symbols_are_learnt():
    symbols = learn_symbols({"c": 1, "b": 5, "a": 1}, "char", 6)
    assert symbols.symbols == ("b", "a")
    assert symbols.encode("abc") == [5, 4, UNKNOWN]


def test_symbols_survive_the_round_trip(tmp_path):
    Symbols("word", ["é", "\n"]).save(tmp_path)
    loaded = Symbols.load(tmp_path)
    assert (loaded.kind, loaded.symbols) == ("word", ("é", "\n"))


@pytest.mark.parametrize("kind", ["char", "bpe", "unigram", "word"])
def test_each_line_is_a_text_of_tokens_with_an_end(kind, tmp_path):
    tokenizer = train_tokenizer({"red": 3, "blue": 2, "reddish": 2}, kind=kind, vocabulary=24)
    TokenizedLines(tokenizer).save(tmp_path)
    lines = Symbols.load(tmp_path)
    assert lines.kind == "token"
    assert (lines.pieces, lines.size) == (tokenizer.pieces, tokenizer.vocabulary_size)
    red, blue = tokenizer.encode("red blue"), tokenizer.encode("blue")
    text = "Red blue\n\n \nblue\nred blue"
    assert lines.encode(text) == [*red, END, *blue, END, *red]
    assert len(lines.split(text)) == len(lines.encode(text))
    assert lines.decode(lines.encode(text)) == "red blue\nblue\nred blue"
    assert len(list(lines.stream([START, *red, END, PAD]))) == len(red) + 3
    assert UNKNOWN in lines.encode("x\n")
    assert "<unk>" in lines.decode(lines.encode("red x"))


def test_mistakes_are_reported(tmp_path):
    with pytest.raises(UserError, match="expected more than 4 ids"):
        learn_symbols({"a": 1}, "char", 4)
    with pytest.raises(UserError, match="at least one symbol to learn from"):
        learn_symbols({}, "char", 10)
    with pytest.raises(UserError, match="No such file"):
        Symbols.load(tmp_path)
    (tmp_path / "symbols.json").write_text('{"kind": "char"}')
    with pytest.raises(UserError, match="symbols: field required"):
        Symbols.load(tmp_path)
