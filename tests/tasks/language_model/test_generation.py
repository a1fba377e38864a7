import keras
import numpy as np

from rnnpipe.tasks.language_model.generation import generate_text
from rnnpipe.text.symbols import Symbols

SYMBOLS = Symbols("char", "abc")  # 4, 5, 6


def make_model(table):
    """A language model without memory: `table[token]` are the logits of what follows it."""
    tokens, state = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((1,))
    follow = keras.layers.Embedding(7, 7)
    said = {"logits": follow(tokens), "states": [keras.layers.Identity()(state)]}
    model = keras.Model({"tokens": tokens, "states": [state]}, said)
    follow.set_weights([np.array(table, "float32")])
    return model


def test_each_symbol_is_fed_back():
    table = np.zeros((7, 7))
    for before, after in ((2, 4), (4, 5), (5, 6), (6, 4)):  # the start, a, b, c
        table[before, after] = 50
    model = make_model(table)
    assert "".join(generate_text(model, SYMBOLS, length=5)) == "abcab"
    assert "".join(generate_text(model, SYMBOLS, prompt="ba", length=2)) == "babc"
    assert list(generate_text(model, SYMBOLS, prompt="ca", length=1)) == ["c", "a", "b"]


def test_symbols_are_drawn_by_their_probability_at_a_temperature():
    logits = np.array([9.0, 9.0, 9.0, 9.0, 0.3, 0.0, -0.5])  # what is no text is never drawn
    model = make_model(np.tile(logits, (7, 1)))
    text = "".join(generate_text(model, SYMBOLS, length=2000, temperature=0.5))
    expected = np.exp(logits[4:] / 0.5) / np.exp(logits[4:] / 0.5).sum()
    np.testing.assert_allclose([text.count(symbol) / 2000 for symbol in "abc"], expected, atol=0.04)


def test_a_seed_writes_one_text():
    model = make_model(np.zeros((7, 7)))
    texts = ["".join(generate_text(model, SYMBOLS, length=30, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
