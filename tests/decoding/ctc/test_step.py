"""CTC prefix scores, and beam searches with them, against every path and every sequence."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe import ops
from rnnpipe.decoding import (
    Decoded,
    RowwiseStep,
    beam_search,
    ctc_step,
    greedy_search,
    shallow_fusion,
)
from rnnpipe.errors import UserError
from rnnpipe.ops import numpy_operations
from rnnpipe.text.tokens import END, START
from tests.decoding.ctc.oracles import every_labelling, log_softmax
from tests.decoding.steps import check_best

TIME, VOCAB = 4, 6  # tokens 4 and 5, and those that every vocabulary has


def random_logits(seed, batch=3, time=TIME):
    values = np.random.default_rng(seed).normal(size=(batch, time, VOCAB), scale=2.0)
    values[:, :, [1, START, END]] = -np.inf  # never said
    return values.astype("float32")


def prefix_probability(found, prefix):
    return sum(p for sequence, p in found.items() if sequence[: len(prefix)] == prefix)


def test_a_step_has_the_probability_of_each_token_after_a_prefix():
    logits = random_logits(1)
    prefixes = [prefix for n in range(TIME) for prefix in itertools.product((4, 5), repeat=n)]
    with numpy_operations():  # in which many small steps are quick; below, also Keras
        for row, prefix in itertools.product(range(3), prefixes):
            found = every_labelling(logits[row])
            whole = prefix_probability(found, prefix)
            step, state = ctc_step(logits[row : row + 1])
            for token in (START, *prefix):
                scores, state = step(ops.array([token], "int32"), state)
            for token in (4, 5):
                expected = prefix_probability(found, (*prefix, token))
                np.testing.assert_allclose(
                    np.exp(scores[0, token]), expected, rtol=1e-4, atol=1e-12
                )
            np.testing.assert_allclose(np.exp(scores[0, END]), found.get(prefix, 0), rtol=1e-4)
            np.testing.assert_allclose(np.exp(scores[0]).sum(), whole, rtol=1e-4)
            assert np.exp(scores[0, 0]) == 0


def test_a_beam_search_of_the_step_alone_finds_the_most_likely_sequences():
    logits, lengths = random_logits(2), np.array([4, 2, 0])
    step, state = ctc_step(logits, lengths, beam_width=6)
    decoded = beam_search(step, state, beam_width=6, n_best=3, max_length=5)
    for row, length in enumerate(lengths):
        found = every_labelling(logits[row, :length])
        ranked = sorted(((np.log(p), s) for s, p in found.items() if p > 0), reverse=True)
        check_best(decoded, row, [(score, (*sequence, END)) for score, sequence in ranked])


ATTENTION = np.random.default_rng(4).normal(size=(3, VOCAB, VOCAB)).astype("float32")
LANGUAGE = np.random.default_rng(5).normal(size=(VOCAB, VOCAB)).astype("float32")


def attention(tokens, row):
    """Logits of each row's own bigrams, and alignments that name the token."""
    logits = ops.take(ops.reshape(ATTENTION, (-1, VOCAB)), row * VOCAB + tokens, axis=0)
    return logits, row, ops.one_hot(tokens, VOCAB)


def language(tokens, state):
    return ops.take(LANGUAGE, tokens, axis=0), state


def joint_score(row, found, sequence, weights):
    """The weighted log-probabilities of a whole sequence of one row."""
    path = (START, *sequence, END)
    tables = (log_softmax(ATTENTION[row]), log_softmax(LANGUAGE))
    bigrams = [sum(table[a, b] for a, b in itertools.pairwise(path)) for table in tables]
    return weights[0] * bigrams[0] + weights[1] * np.log(found[sequence]) + weights[2] * bigrams[1]


WEIGHTS = (0.6, 0.3, 0.2)


def joint_search(logits, lengths=None, compact=False, width=6):
    rows = ops.arange(ops.shape(logits)[0], dtype="int32")
    ctc, prefix = ctc_step(logits, lengths, beam_width=width)
    members = [attention, ctc, language]
    if compact:
        members = [RowwiseStep(attention), ctc, RowwiseStep(language)]
    joint = shallow_fusion(members, WEIGHTS)
    state = (rows, prefix, ops.zeros_like(rows))
    return beam_search(joint, state, beam_width=width, n_best=3, max_length=TIME + 1)


def exhaustive(logits, row):
    found = every_labelling(logits)
    possible = [sequence for sequence, p in found.items() if p > 0]
    pairs = [(joint_score(row, found, s, WEIGHTS), (*s, END)) for s in possible]
    return sorted(pairs, reverse=True)


@pytest.mark.parametrize("compact", [False, True])
def test_a_joint_search_finds_the_best_sequences_of_all_models(compact):
    logits, lengths = random_logits(6), np.array([4, 3, 1])
    decoded = joint_search(logits, lengths, compact=compact)
    for row, length in enumerate(lengths):
        check_best(decoded, row, exhaustive(logits[row, :length], row))
    told = np.asarray(decoded.alignments)[0, 0, : int(decoded.lengths[0, 0])]
    read = [START, *np.asarray(decoded.ids)[0, 0]][: len(told)]
    assert told.argmax(axis=-1).tolist() == read


def test_padding_changes_nothing_even_where_it_is_nan():
    logits = random_logits(6)
    padded = np.concatenate([logits, np.full((3, 2, VOCAB), np.nan, "float32")], axis=1)
    found, expected = joint_search(padded, np.array([4, 4, 4])), joint_search(logits)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)


def test_a_search_in_numpy_and_one_in_a_graph_find_the_same():
    logits, lengths = random_logits(8), np.array([4, 2, 3])
    expected = Decoded(*map(np.asarray, joint_search(logits, lengths)))
    with numpy_operations():
        found = joint_search(logits, lengths, compact=True)
    signature = [tf.TensorSpec([None, None, VOCAB]), tf.TensorSpec([None], tf.int32)]
    compiled = tf.function(joint_search, signature)
    for other in (found, compiled(logits, lengths.astype("int32"))):
        np.testing.assert_array_equal(other.ids, expected.ids)
        np.testing.assert_allclose(other.scores, expected.scores, rtol=1e-5)


def test_a_row_with_nan_has_no_sequence():
    logits = random_logits(9)
    logits[1, 1, 4] = np.nan
    decoded = joint_search(logits)
    assert np.isnan(decoded.scores[1]).all()
    assert np.isfinite(decoded.scores[0]).all()
    assert not np.any(decoded.lengths[1])


def test_unequal_vocabularies_and_wrong_weights_are_refused():
    def step(size):
        return lambda tokens, state: (ops.zeros((1, size)), state)

    with pytest.raises(UserError, match=r"shallow_fusion: expected one vocabulary, got \[4, 5\]"):
        greedy_search(
            shallow_fusion([step(4), step(5)], [1, 1]), (ops.zeros(1), ops.zeros(1)), max_length=2
        )
    with pytest.raises(UserError, match="expected a state for each of 1 models, got 2"):
        greedy_search(shallow_fusion([step(4)], [1]), (ops.zeros(1), ops.zeros(1)), max_length=2)
    for weights in ([], [1.0, 2.0], [0.0], ["1"]):
        with pytest.raises(UserError, match="expected weights above 0 for 1 steps"):
            shallow_fusion([step(4)], weights)
    with pytest.raises(UserError, match=r"logits: expected \(batch, time, vocabulary\), got \(2,"):
        ctc_step(np.zeros((2, 3)))
    with pytest.raises(UserError, match="beam_width: expected a whole number, at least 1, got 0"):
        ctc_step(np.zeros((2, 3, 4)), beam_width=0)
