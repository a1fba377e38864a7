"""Beam search with required phrases finds what an exhaustive search finds, and always says them."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.decoding import Constraints, average_length, beam_search, gnmt_coverage
from rnnpipe.decoding.required_phrases import RequiredPhrases
from rnnpipe.text.tokens import END, PAD, START
from tests.decoding.steps import (
    branching,
    check_best,
    every_branch,
    exhaustive,
    markov,
    probability,
    spell,
    speller,
    tokens,
)
from tests.decoding.test_backends import attending

VOCAB = 7
letters = st.sampled_from([1, 4, 5, 6])


def says(sequence, phrases):
    """Whether each phrase is somewhere in a sequence, without a break."""
    text = bytes(map(int, sequence))
    return all(bytes(phrase) in text for phrase in phrases)


def only(pairs, phrases):
    return [(score, sequence) for score, sequence in pairs if says(sequence, phrases)]


def said_by(decoded, row):
    """What a row found, as pairs of score and sequence."""
    ids, lengths, scores = (np.asarray(part)[row] for part in decoded[:3])
    return [
        (float(score), tuple(map(int, sequence[:length])))
        for sequence, length, score in zip(ids, lengths, scores, strict=True)
        if length
    ]


@pytest.mark.parametrize(
    "phrases", [[[[5]], [[6], [4]], []], [[[4, 5]], [[6, 6]], [[5], [5, 6]]], [[], [], []]]
)
def test_a_wide_beam_equals_exhaustive_search(phrases):
    tables = np.random.default_rng(1).normal(size=(3, 2, VOCAB, VOCAB), scale=2.0)
    decoded = beam_search(
        *markov(tables),
        beam_width=7,
        n_best=7,
        max_length=2,
        start=START,
        required_phrases=phrases,
    )
    for row, table in enumerate(tables):
        check_best(decoded, row, only(exhaustive(table, 2, START), phrases[row])[:7])


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_equals_exhaustive_search_in_sparse_tables(seed):
    tables = branching(seed, batch=2, time=3, vocab=12)
    options = {"beam_width": 12, "n_best": 5, "max_length": 3}
    everything = [every_branch(table, 3) for table in tables]
    # What one of the sequences begins with, so that there is at least one.
    whole = [
        [sequence for _, sequence in found if not {PAD, END} & set(sequence)]
        for found in everything
    ]
    phrases = [[sequences[seed][:2]] for sequences in whole]
    decoded = beam_search(*markov(tables), **options, required_phrases=phrases)
    for row, found in enumerate(everything):
        check_best(decoded, row, only(found, phrases[row])[:5])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, VOCAB),
    phrases=st.lists(
        st.lists(st.lists(letters, min_size=1, max_size=2).map(tuple), max_size=2),
        min_size=2,
        max_size=2,
    ),
)
def test_every_sequence_contains_the_required_phrases(seed, width, phrases):
    """Four tokens at most are required and four may be said: so there is always a sequence."""
    tables = np.random.default_rng(seed).normal(size=(2, 4, VOCAB, VOCAB), scale=3.0)
    decoded = beam_search(
        *markov(tables), beam_width=width, n_best=width, max_length=4, required_phrases=phrases
    )
    for row, (table, own) in enumerate(zip(tables, phrases, strict=True)):
        found = said_by(decoded, row)
        assert found
        scores = [score for score, _ in found]
        assert scores == sorted(scores, reverse=True)
        assert len({sequence for _, sequence in found}) == len(found)
        best = only(exhaustive(table, 4, START), own)[0][0]
        for score, sequence in found:
            assert says(sequence, own)
            expected = probability(table, sequence, START)
            np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-5)
            assert score <= best + 1e-4


@pytest.mark.parametrize("width", [1, 2, 5])
def test_phrases_that_overlap_share_their_tokens(width):
    """Of "aab" after "aa" nothing is lost, and "ab" and "bc" are both in "abc"."""
    step, state = speller(["dddd>", "dddd>"], confidence=3.0)
    phrases = [[tokens("aab")], [tokens("ab"), tokens("bc")]]
    prefix = np.array([tokens("aa"), tokens("ab")])
    decoded = beam_search(
        step,
        state,
        beam_width=width,
        max_length=3,
        required_phrases=phrases,
        constraints=Constraints(prefix=prefix),
    )
    assert spell(decoded.ids[:, 0]) == ["aab", "abc"]


def test_a_phrase_is_placed_where_it_is_likeliest():
    # The model writes "abcd" and would take an x for the c, and less gladly at any other place.
    step, state = speller(["abcd>"], confidence=10.0)

    def tempted(last, state):
        logits, after = step(last, state)
        gain = np.zeros(30)
        gain[tokens("x")] = 6.0
        third = tf.cast(state["at"] == 2, "float32")[:, None]
        return logits + third * gain.astype("float32"), after

    free = beam_search(tempted, state, beam_width=6, max_length=6)
    asked = beam_search(
        tempted, state, beam_width=6, max_length=6, required_phrases=[[tokens("x")]]
    )
    assert spell(free.ids[0, 0]) == "abcd>_"
    assert spell(asked.ids[0, 0]) == "abxd>_"


def test_rows_are_independent():
    tables = np.random.default_rng(5).normal(size=(3, 6, VOCAB, VOCAB))
    phrases = [[[5, 6], [4]], [], [[6]]]
    options = {"beam_width": 5, "n_best": 2, "max_length": 6}
    together = beam_search(*markov(tables), **options, required_phrases=phrases)
    for row in range(3):
        one = slice(row, row + 1)
        alone = beam_search(*markov(tables[one]), **options, required_phrases=phrases[one])
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-5)
    free = beam_search(*markov(tables[1:2]), **options)
    np.testing.assert_array_equal(free.ids[0], together.ids[1])


@pytest.mark.parametrize("jit_compile", [pytest.param(False, marks=pytest.mark.slow), True])
def test_phrases_are_compiled_with_penalties_and_groups(jit_compile):
    """Phrases given as a tensor, with penalties, alignments and groups, compiled."""
    tables = np.random.default_rng(6).normal(size=(2, 5, VOCAB, VOCAB)).astype("float32")
    phrases = np.array([[[5, 6], [4, 0]], [[6, 0], [0, 0]]], "int32")
    step, (at, tables) = attending(tables)

    def search(at, tables, phrases):
        return beam_search(
            step,
            (at, tables),
            beam_width=6,
            n_best=4,
            groups=2,
            max_length=5,
            length_penalty=average_length,
            coverage_penalty=gnmt_coverage(0.2, np.ones((2, 3), "bool")),
            required_phrases=phrases,
        )

    rows = None if not jit_compile else 2
    signature = [
        tf.TensorSpec([rows], tf.int32),
        tf.TensorSpec([rows, 5, VOCAB, VOCAB]),
        tf.TensorSpec([rows, 2, 2], tf.int32),
    ]
    compiled = tf.function(search, signature, jit_compile=jit_compile)(at, tables, phrases)
    for part, other in zip(compiled, search(at, tables, phrases), strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5, atol=1e-6)
    for row, required in enumerate([[(5, 6), (4,)], [(6,)]]):
        found = said_by(compiled, row)
        assert found
        assert all(says(sequence, required) for _, sequence in found)


def test_unreachable_phrases_leave_no_sequence():
    step, state = speller(["abc>", "abc>"])
    decoded = beam_search(
        step,
        state,
        beam_width=4,
        n_best=2,
        max_length=4,
        required_phrases=[[tokens("x")], [tokens("b")]],
        constraints=Constraints(banned_tokens=tokens("x")),
    )
    assert decoded.lengths[0].numpy().tolist() == [0, 0]
    assert decoded.scores[0].numpy().tolist() == [-math.inf, -math.inf]
    assert spell(decoded.ids[:, 0]) == ["____", "abc>"]


def test_banks_alternate():
    """Two beams have said nothing of the phrase, one has begun it: each bank has its turn."""
    select = RequiredPhrases([[[4, 5]]], (3, 6), max_length=9, limits=9, end=END, repeats=3)
    log_probs = np.full((1, 3, 6), -9.0, "float32")
    log_probs[0, 0, 1], log_probs[0, 1, 1], log_probs[0, 2, 5] = -1.0, -2.0, -30.0
    ids = np.zeros((1, 3, 9), "int32")
    ids[0, :, 0] = [1, 1, 4]
    kept, parents, chosen = select(np.zeros((1, 3), "float32"), log_probs, ids, 1)
    assert list(zip(parents[0].numpy(), chosen[0].numpy(), strict=True)) == [(2, 5), (0, 4), (0, 1)]
    np.testing.assert_array_equal(kept[0], [-30.0, -9.0, -1.0])
