import sys
from typing import Any

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
from rnnpipe.tasks.inputs import Input, integer, setting_inputs
from rnnpipe.tasks.language_model.generation import draw_quantiles, generate_text
from rnnpipe.tasks.language_model.network import make_draw, make_step
from rnnpipe.tasks.language_model.predictor import TextPredictor
from rnnpipe.text.symbols import Symbols

SYMBOLS = Symbols("char", "abc")  # 4, 5, 6
decoding_sample = sys.modules["rnnpipe.decoding.sample"]  # of the same name as its function


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


def test_after_the_end_of_a_text_another_one_begins():
    table = np.zeros((7, 7))
    for before, after in ((2, 4), (4, 5), (5, 3), (3, 6)):  # the start, a, b, the end
        table[before, after] = 50
    draw = make_draw(make_model(table), SamplingOptions(), ends=True)
    inputs = {"tokens": np.array([[2]], "int32"), "temperature": np.ones(1, "float32")}
    outputs = draw({**inputs, "quantiles": np.full((1, 7), 0.5, "float32")})
    assert outputs["tokens"].tolist() == [[4, 5, 3, 4, 5, 3, 4]]


def test_symbols_are_drawn_by_their_probability_at_a_temperature():
    logits = np.array([9.0, 9.0, 9.0, 9.0, 0.3, 0.0, -0.5])  # what is no text is never drawn
    model = make_model(np.tile(logits, (7, 1)))
    text = generate(model, SamplingOptions(temperature=0.5), length=2000)
    expected = np.exp(logits[4:] / 0.5) / np.exp(logits[4:] / 0.5).sum()
    np.testing.assert_allclose([text.count(symbol) / 2000 for symbol in "abc"], expected, atol=0.04)


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"top_p": 0.7}])
def test_rows_of_a_batch_are_drawn_by_their_probability(options):
    """Each row has random numbers of its own: a chi-square over all symbols of many rows."""
    logits, temperature, rows, length = np.array([0.9, 0.2, -0.4]), 0.8, 400, 10
    draw = make_draw(make_model(np.tile([0, 0, 0, 0, *logits], (7, 1))), SamplingOptions())
    outputs = draw(
        {
            "tokens": np.full((rows, 1), 2, "int32"),
            "quantiles": np.stack([draw_quantiles(seed, length) for seed in range(rows)]),
            "temperature": np.full(rows, temperature, "float32"),
        },
        **options,
    )
    probabilities = np.exp(logits / temperature)
    if options:
        probabilities[2] = 0  # of 0.62, 0.26 and 0.12 two are kept
    expected = rows * length * probabilities / probabilities.sum()
    counts = np.bincount(outputs["tokens"].ravel(), minlength=7)[4:]
    assert counts[expected == 0].sum() == 0
    kept = expected > 0
    distance = ((counts[kept] - expected[kept]) ** 2 / expected[kept]).sum()
    assert distance < {2: 13.8, 1: 10.8}[kept.sum() - 1]  # one in a thousand is above
    own = np.log(np.exp(logits) / np.exp(logits).sum())  # without temperature and truncation
    np.testing.assert_allclose(outputs["log_probs"], own[outputs["tokens"] - 4], atol=1e-5)


def test_only_the_likeliest_symbols_are_drawn():
    model = make_model(np.tile([0, 0, 0, 0, 3.0, 2.0, 1.0], (7, 1)))
    assert set(generate(model, SamplingOptions(top_k=1), length=30)) == {"a"}
    assert set(generate(model, SamplingOptions(top_k=2), length=60)) == {"a", "b"}
    assert set(generate(model, SamplingOptions(top_p=0.6), length=30)) == {"a"}


@pytest.mark.parametrize("learned_state", [False, True])
def test_generation_equals_sampling_by_decoding(learned_state, monkeypatch):
    quantiles = draw_quantiles(5, 40)
    monkeypatch.setattr(decoding_sample, "draw_quantiles", lambda shape, seed: quantiles[None])
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


def make_network(model, sampling=SamplingOptions()):  # noqa: B008  it is frozen
    return {"draw": make_draw(model, sampling), "step": make_step(model, sampling)}


@pytest.fixture
def predictor(tmp_path):
    """Continues texts with a model that remembers."""
    keras.utils.set_random_seed(1)
    recurrence = RecurrenceOptions(cell=GRUOptions(units=8))
    model = build_language_model(LanguageModelOptions(recurrence=recurrence), vocab=7)
    SYMBOLS.save(tmp_path)
    inputs = (
        Input("prompt", "the beginning"),
        Input("length", "symbols", integer(1), 12),
        *setting_inputs(SamplingOptions()),
        Input("seed", "of the draws", integer(0), 0),
    )
    return TextPredictor(
        tmp_path,
        network=make_network(model),
        inputs=inputs,
        task="language_model",
        batch_size=8,
    )


def test_texts_are_continued_in_any_batch_as_alone(predictor):
    prompts = ["a", "", "bca", "b", "caa", "a"]
    rows: list[dict[str, Any]] = [
        {"prompt": prompt, "seed": seed} for seed, prompt in enumerate(prompts)
    ]
    rows += [{"prompt": "ab", "length": 3}, {"prompt": "ab", "top-k": 1}]
    rows += [{"prompt": "ab", "temperature": 0.2}, {"prompt": "ab", "temperature": 5}]
    together = list(predictor.predict(rows))
    for row, prediction in zip(rows, together, strict=True):
        (answer,) = prediction.answers
        assert answer.text == "".join(predictor.stream(row))
        assert answer.text.startswith(row["prompt"])
        assert len(answer.text) == len(row["prompt"]) + row.get("length", 12)
        alone = predictor.predict_one(row)
        assert alone.answers[0].text == answer.text
        assert alone.answers[0].probability == pytest.approx(answer.probability, abs=1e-6)
    assert len({prediction.answers[0].text[1:] for prediction in together[:6:5]}) == 2  # seeds


def test_the_probability_is_the_mean_of_those_drawn(tmp_path, predictor):
    chances = np.full((7, 7), -50.0)
    chances[:, 4], chances[:, 5] = np.log(0.25), np.log(0.75)
    predictor.network = make_network(make_model(chances))
    text, probability, _ = predictor.predict_one({"prompt": "", "temperature": 2}).answers[0]
    expected = np.exp(np.mean([np.log(0.25 if symbol == "a" else 0.75) for symbol in text]))
    assert probability == pytest.approx(expected)


def test_what_is_not_read_of_a_prompt_is_noted(predictor, capsys):
    assert predictor.predict_one({"prompt": "ax"}).notes == [
        "--prompt: 1 of its 2 tokens are not in the vocabulary"
    ]
    next(predictor.stream({"prompt": "ax"}))
    assert "note: --prompt: 1 of its 2 tokens" in capsys.readouterr().err
