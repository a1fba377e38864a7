"""Samples follow the model's distribution, cut as asked, and a seed repeats them."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import Constraints, greedy_search, sample, sample_tokens
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END
from tests.decoding.steps import log_softmax, markov, spell, speller

LOGITS = np.log([0.30, 0.05, 0.22, 0.18, 0.10, 0.15])
DRAWS = 4000
# Of a chi-square with 5, 2 and 1 degrees of freedom, one in a thousand is above.
CRITICAL = {5: 20.5, 2: 13.8, 1: 10.8}


def constant(_, state):
    return ops.convert_to_tensor(LOGITS[None], "float32") + ops.zeros_like(state), state


def draws(**options):
    decoded = sample(constant, np.zeros((1, 1), "float32"), samples=DRAWS, max_length=1, **options)
    return decoded.ids.numpy().flatten()


def check_frequencies(drawn, probabilities):
    counts = np.bincount(drawn, minlength=len(LOGITS))
    possible = probabilities > 0
    assert not counts[~possible].any()
    expected = probabilities[possible] * DRAWS
    distance = ((counts[possible] - expected) ** 2 / expected).sum()
    assert distance < CRITICAL[possible.sum() - 1]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_those_of_the_softmax(temperature):
    probabilities = np.exp(log_softmax(LOGITS / temperature))
    check_frequencies(draws(seed=1, temperature=temperature), probabilities)


@pytest.mark.parametrize(
    ("options", "likeliest"),
    [
        ({"top_k": 3}, [0, 2, 3]),
        ({"top_k": 2}, [0, 2]),
        ({"top_k": 100}, range(6)),
        ({"top_p": 0.45}, [0, 2]),
        ({"top_p": 0.6}, [0, 2, 3]),
        ({"top_p": 1.0}, range(6)),
        # Of the three likeliest, 0.30, 0.22 and 0.18 of 0.70, two have 0.74.
        ({"top_k": 3, "top_p": 0.7}, [0, 2]),
    ],
)
def test_only_the_likeliest_are_drawn(options, likeliest):
    probabilities = np.zeros(6)
    probabilities[list(likeliest)] = np.exp(LOGITS)[list(likeliest)]
    check_frequencies(draws(seed=2, **options), probabilities / probabilities.sum())


def test_quantiles_decide_each_row_alone():
    step, state = markov(np.random.default_rng(3).normal(size=(3, 4, 7, 7)))
    quantiles = np.random.default_rng(4).random((3, 2, 4), dtype="float32")
    together = sample(step, state, max_length=4, samples=2, quantiles=quantiles)
    for row, copy in np.ndindex(3, 2):
        token, drawn = 2, []
        for t, quantile in enumerate(quantiles[row, copy]):
            cumulative = np.cumsum(np.exp(log_softmax(state[1][row, t, token])))
            token = int(np.searchsorted(cumulative, quantile, side="right"))
            drawn.append(token)
            if token == END:
                break
        length = int(together.lengths[row, copy])
        assert together.ids[row, copy, :length].numpy().tolist() == drawn
    shared = sample(step, state, max_length=4, samples=2, quantiles=quantiles[:1])
    np.testing.assert_array_equal(shared.ids[0], together.ids[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantiles": np.zeros((1, 1, 4))}, r"quantiles: expected \(batch or 1, samples 2, max_"),
        ({"quantiles": np.zeros((2, 2, 3))}, r"quantiles: expected \(batch or 1, samples 2, max_"),
        ({"quantiles": np.zeros((1, 2, 3)), "seed": 1}, "seed: expected none with quantiles"),
        ({}, "seed: expected an integer or a keras.random.SeedGenerator, got None"),
    ],
)
def test_random_numbers_come_from_one_place(options, message):
    state = np.zeros((3, 1), "float32")
    with pytest.raises(UserError, match=message):
        sample(constant, state, max_length=3, samples=2, **options)


def test_each_row_may_have_a_temperature():
    logits = ops.convert_to_tensor(np.tile(LOGITS, (3, 1)), "float32")
    quantiles = np.array([[0.7]] * 3, "float32")
    temperatures = [0.1, 1.0, 5.0]
    together = sample_tokens(logits, quantiles, temperature=np.array(temperatures)[:, None])
    alone = [sample_tokens(logits[:1], quantiles[:1], temperature=each) for each in temperatures]
    assert together.numpy().tolist() == [int(each[0]) for each in alone]
    assert len(set(together.numpy().tolist())) > 1


@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"top_p": 0.9}])
def test_the_largest_number_below_one_falls_on_a_token(options):
    logits = np.array([[0.0, 1.0, -0.5, -np.inf, -np.inf]], "float32")
    quantile = np.array([[np.nextafter(np.float32(1), np.float32(0))]])
    assert int(sample_tokens(logits, quantile, **options)[0]) in (0, 2)


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 0.01}, {"temperature": 1e-4}])
def test_sampling_equals_greedy_search_in_the_limit(options):
    step, state = markov(np.random.default_rng(3).normal(size=(6, 5, 7, 7)))
    walked = greedy_search(step, state, max_length=5)
    drawn = sample(step, state, max_length=5, seed=4, **options)
    np.testing.assert_array_equal(walked.ids, drawn.ids)
    np.testing.assert_allclose(walked.scores, drawn.scores, rtol=1e-5)


def test_a_seed_repeats_its_samples():
    step, state = markov(np.random.default_rng(3).normal(size=(6, 5, 7, 7)))

    @tf.function
    def compiled():
        return sample(step, state, max_length=5, seed=4, samples=3)

    first = sample(step, state, max_length=5, seed=4, samples=3)
    other = sample(step, state, max_length=5, seed=5, samples=3)
    for again in (sample(step, state, max_length=5, seed=4, samples=3), compiled(), compiled()):
        np.testing.assert_array_equal(first.ids, again.ids)
    assert np.any(first.ids != other.ids)


def test_a_seed_generator_gives_new_samples():
    step, state = markov(np.random.default_rng(3).normal(size=(6, 5, 7, 7)))
    seeds = keras.random.SeedGenerator(4)
    draw = tf.function(lambda: sample(step, state, max_length=5, seed=seeds).ids)
    assert np.any(draw() != draw())


def test_scores_are_the_models_own():
    step, state = markov(np.random.default_rng(3).normal(size=(2, 4, 6, 6)))
    decoded = sample(step, state, max_length=4, samples=5, seed=1, temperature=3.0, top_k=4)
    for row, copy in np.ndindex(2, 5):
        path = [2, *decoded.ids[row, copy, : int(decoded.lengths[row, copy])].numpy()]
        score = sum(
            log_softmax(state[1][row, t, a])[b] for t, (a, b) in enumerate(itertools.pairwise(path))
        )
        np.testing.assert_allclose(decoded.scores[row, copy], score, rtol=1e-4)


def test_samples_have_their_own_maximum_lengths():
    options = {"max_length": 5, "samples": 2, "seed": 3}
    state = np.zeros((3, 1), "float32")
    free = sample(constant, state, **options)
    cut = sample(constant, state, **options, max_lengths=[1, 5, 3])
    for row, length in enumerate([1, 5, 3]):
        np.testing.assert_array_equal(cut.lengths[row], np.minimum(free.lengths[row], length))
        np.testing.assert_array_equal(cut.ids[row, :, :length], free.ids[row, :, :length])
        np.testing.assert_array_equal(cut.ids[row, :, length:], 0)


def test_samples_of_a_row_differ_and_follow_its_step():
    table = np.full((2, 3, 10, 10), -50.0)
    table[0, :, :, 4:7] = table[1, :, :, 7:10] = 0.0
    decoded = sample(*markov(table), max_length=3, samples=20, seed=1)
    words = spell(decoded.ids)
    assert set("".join(words[0])) == set("abc")
    assert set("".join(words[1])) == set("def")
    assert len(set(words[0])) > 5
    assert decoded.ids.shape == (2, 20, 3)


def test_sequences_end_and_are_padded():
    step, state = speller(["abc>", ">"])
    decoded = sample(step, state, max_length=6, samples=2, seed=1)
    assert spell(decoded.ids) == [["abc>__"] * 2, [">_____"] * 2]
    assert decoded.lengths.numpy().tolist() == [[4, 4], [1, 1]]


def test_forbidden_tokens_are_never_drawn():
    probabilities = np.exp(LOGITS) * [0, 1, 1, 0, 1, 1]
    drawn = draws(
        seed=6, constraints=Constraints(banned_tokens=[0], min_length=1), top_k=4, end=END
    )
    assert set(drawn) == {2, 3, 4, 5}
    drawn = draws(seed=6, constraints=Constraints(banned_tokens=[0, 1, 2, 3]))
    kept = probabilities * [0, 0, 0, 0, 1, 1]
    check_frequencies(drawn, kept / kept.sum())
