import keras
import numpy as np
import pytest

from rnnpipe.decoding import Constraints, sample
from rnnpipe.models.language_model import (
    LanguageModelOptions,
    build_language_model,
    first_states,
    get_states,
)
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.language_model.generation import generate_text
from rnnpipe.text.symbols import Symbols

SYMBOLS = Symbols("char", "abc")  # 4, 5, 6


def generate(model, sampling=SamplingOptions(), seed=0, **options):  # noqa: B008  it is frozen
    return "".join(generate_text(model, SYMBOLS, sampling, seed=seed, **options))


def make_model(table):
    """A language model without memory: `table[token]` are the logits of what follows it."""
    tokens, state = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((1,))
    starts = keras.Input((), dtype="bool", name="starts")
    follow = keras.layers.Embedding(7, 7)
    outputs = {"logits": follow(tokens), "state_0": keras.layers.Identity()(state)}
    model = keras.Model({"tokens": tokens, "starts": starts, "states": [state]}, outputs)
    follow.set_weights([np.array(table, "float32")])
    return model


def test_each_symbol_is_the_next_input():
    table = np.zeros((7, 7))
    for before, after in ((2, 4), (4, 5), (5, 6), (6, 4)):  # the start, a, b, c
        table[before, after] = 50
    model = make_model(table)
    assert generate(model, length=5) == "abcab"
    assert generate(model, prompt="ba", length=2) == "babc"
    pieces = generate_text(model, SYMBOLS, SamplingOptions(), prompt="ca", length=1, seed=0)
    assert list(pieces) == ["c", "a", "b"]


def test_symbols_are_drawn_by_their_probability_at_a_temperature():
    logits = np.array([9.0, 9.0, 9.0, 9.0, 0.3, 0.0, -0.5])  # what is no text is never drawn
    model = make_model(np.tile(logits, (7, 1)))
    text = generate(model, SamplingOptions(temperature=0.5), length=2000)
    expected = np.exp(logits[4:] / 0.5) / np.exp(logits[4:] / 0.5).sum()
    np.testing.assert_allclose([text.count(symbol) / 2000 for symbol in "abc"], expected, atol=0.04)


def test_only_the_likeliest_symbols_are_drawn():
    model = make_model(np.tile([0, 0, 0, 0, 3.0, 2.0, 1.0], (7, 1)))
    assert set(generate(model, SamplingOptions(top_k=1), length=30)) == {"a"}
    assert set(generate(model, SamplingOptions(top_k=2), length=60)) == {"a", "b"}
    assert set(generate(model, SamplingOptions(top_p=0.6), length=30)) == {"a"}


@pytest.mark.parametrize("learned_state", [False, True])
def test_generation_equals_sampling_by_decoding(learned_state):
    keras.utils.set_random_seed(1)
    recurrence = RecurrenceOptions(cell=GRUOptions(units=8), learned_state=learned_state)
    model = build_language_model(LanguageModelOptions(recurrence=recurrence), vocab=7)
    if learned_state:
        model.get_layer("first_states").set_weights([np.linspace(-1, 1, 8)])

    def step(tokens, states):
        inputs = {"tokens": tokens[:, None], "starts": tokens < 0, "states": list(states)}
        outputs = model(inputs)
        return outputs["logits"][:, 0], tuple(get_states(outputs))

    options = {"temperature": 0.7, "top_k": 3, "top_p": 0.95}
    decoded = sample(
        step,
        tuple(first_states(model, 1)),
        max_length=40,
        seed=5,
        constraints=Constraints(banned_tokens=(0, 1, 2, 3)),
        **options,
    )
    expected = SYMBOLS.decode(np.asarray(decoded.ids).flatten())
    assert len(expected) == 40
    assert generate(model, SamplingOptions(**options), seed=5, length=40) == expected


def test_a_seed_fixes_the_text():
    model = make_model(np.zeros((7, 7)))
    texts = [generate(model, length=30, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
