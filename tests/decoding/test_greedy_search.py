"""Greedy decoding says what the step says, stops at the end and pads."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import Decoded, greedy_search
from rnnpipe.text.tokens import END
from tests.decoding.steps import exhaustive, log_softmax, markov, spell, speller


def test_the_likeliest_sequence_is_decoded():
    step, state = speller(["sequentially>"])
    decoded = greedy_search(step, state, max_length=13)
    assert spell(decoded.ids[0]) == ["sequentially>"]
    assert decoded.lengths.numpy().tolist() == [[13]]
    assert decoded.alignments is None


def test_rows_end_independently_and_are_padded():
    step, state = speller(["abc>", "defghi>", ">", "jklmnopqr"])
    decoded = greedy_search(step, state, max_length=8)
    words = ["abc>____", "defghi>_", ">_______", "jklmnopq"]
    assert spell(decoded.ids[:, 0]) == words
    assert decoded.lengths.numpy().tolist() == [[4], [7], [1], [8]]


def test_rows_are_independent():
    words = ["abc>", "defghi>", ">"]
    step, state = speller(words)
    together = greedy_search(step, state, max_length=8)
    for row, word in enumerate(words):
        alone = greedy_search(*speller([word]), max_length=8)
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-6)


def test_rows_have_their_own_maximum_lengths():
    step, state = speller(["abcde>", "abcde>", "ab>"])
    decoded = greedy_search(step, state, max_length=9, max_lengths=[2, 9, 2])
    assert spell(decoded.ids[:, 0]) == ["ab_______", "abcde>___", "ab_______"]
    assert decoded.lengths[:, 0].numpy().tolist() == [2, 6, 2]
    alone = greedy_search(step, state, max_length=2).scores
    np.testing.assert_allclose(decoded.scores.numpy()[[0, 2]], alone.numpy()[[0, 2]], rtol=1e-6)


def test_score_is_the_log_probability_up_to_the_end():
    table = np.log([[[[1, 1, 1, 1, 4]] * 5, [[1, 1, 1, 5, 2]] * 5, [[1, 1, 1, 1, 6]] * 5]])
    decoded = greedy_search(*markov(table), max_length=3)
    assert spell(decoded.ids[0]) == ["a>_"]
    np.testing.assert_allclose(decoded.scores, [[np.log(4 / 8) + np.log(5 / 10)]], rtol=1e-6)


def test_greedy_search_misses_the_best_sequence():
    # "a" is likelier than "b" at first, and then all letters are alike; after "b", the end is sure.
    table = np.full((1, 2, 6, 6), -50.0)
    table[0, 0, 2, [4, 5]] = np.log([0.6, 0.4])
    table[0, 1, 4, :] = 0.0
    table[0, 1, 5, END] = 0.0
    decoded = greedy_search(*markov(table), max_length=2)
    assert spell(decoded.ids[0, 0])[0] == "a"
    assert exhaustive(table[0], 2, start=2)[0][1] == (5, END)


def test_the_search_stops_when_all_rows_have_ended():
    step, state = speller(["ab>", "abcd>"])
    calls = []

    def counted(tokens, state):
        calls.append(tokens)
        return step(tokens, state)

    greedy_search(counted, state, max_length=50)
    assert len(calls) == len("abcd>")


def test_the_search_stops_early_in_a_graph():
    step, state = speller(["ab>", "abcd>"])
    calls = tf.Variable(0)

    def counted(tokens, state):
        calls.assign_add(1)
        return step(tokens, state)

    decoded = tf.function(lambda: greedy_search(counted, state, max_length=50))()
    assert int(calls) == len("abcd>")
    assert decoded.ids.shape == (2, 1, 50)


def test_each_row_may_have_its_own_start_token():
    table = np.zeros((2, 1, 6, 6))
    table[:, 0, 4, 5] = table[:, 0, 5, 4] = 9.0
    decoded = greedy_search(*markov(table), max_length=1, start=np.array([4, 5]))
    assert spell(decoded.ids[:, 0]) == ["b", "a"]


def test_no_state_is_needed_where_start_has_the_batch():
    def step(tokens, state):
        return 9.0 * ops.one_hot(tokens + 1, 8), state

    decoded = greedy_search(step, (), max_length=3, start=np.array([3, 4]), end=7)
    assert spell(decoded.ids[:, 0]) == ["abc", "bcd"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_scores_in_float32_whatever_the_logits(dtype):
    logits = np.linspace(-3, 3, 8)

    def step(_, state):
        return ops.cast(logits[None], dtype), state

    scores = greedy_search(step, np.zeros(1), max_length=2).scores
    assert keras.backend.standardize_dtype(scores.dtype) == "float32"
    close = 2 * log_softmax(np.array(ops.cast(ops.cast(logits, dtype), "float32")))[-1]
    np.testing.assert_allclose(scores, [[close]], rtol=1e-5)


def test_alignments_are_of_the_step_that_chose_the_token():
    step, state = speller(["ab>", "abcd>"])

    def looking(tokens, state):
        logits, after = step(tokens, state)
        return logits, after, {"at": ops.one_hot(state["at"], 4), "twice": 2 * state["at"]}

    decoded = greedy_search(looking, state, max_length=6)
    assert isinstance(decoded, Decoded)
    assert decoded.alignments["at"].shape == (2, 1, 6, 4)
    eye = np.eye(6, 4)
    np.testing.assert_array_equal(decoded.alignments["at"][0, 0], eye * (np.arange(6) < 3)[:, None])
    np.testing.assert_array_equal(decoded.alignments["twice"][1, 0], [0, 2, 4, 6, 8, 0])
