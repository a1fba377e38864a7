"""Beam search finds what an exhaustive search and the slow way find, and stops when it may."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from rnnpipe.decoding import average_length, beam_search, gnmt_coverage, gnmt_length, greedy_search
from rnnpipe.text.tokens import END, START
from tests.decoding.steps import (
    branching,
    check_best,
    every_branch,
    exhaustive,
    markov,
    padded,
    slow_beam,
    spell,
    speller,
)

PENALTIES = [
    (None, lambda length: 1.0),
    (gnmt_length(0.8), lambda length: ((5 + length) / 6) ** 0.8),
    (gnmt_length(-0.5), lambda length: ((5 + length) / 6) ** -0.5),
    (average_length, lambda length: length),
]


def random_tables(seed, batch=3, time=4, vocab=6, spread=2.0):
    return np.random.default_rng(seed).normal(size=(batch, time, vocab, vocab), scale=spread)


@pytest.mark.parametrize("width", [1, 5])
def test_the_likeliest_sequence_is_decoded(width):
    step, state = speller(["sequentially>", "abc>"])
    decoded = beam_search(step, state, beam_width=width, max_length=14)
    assert spell(decoded.ids[:, 0]) == ["sequentially>_", "abc>__________"]


@pytest.mark.parametrize("seed", range(8))
def test_width_one_is_greedy(seed):
    step, state = markov(random_tables(seed, batch=8))
    walked = greedy_search(step, state, max_length=4)
    searched = beam_search(step, state, beam_width=1, max_length=4)
    np.testing.assert_array_equal(walked.ids, searched.ids)
    np.testing.assert_array_equal(walked.lengths, searched.lengths)
    np.testing.assert_allclose(walked.scores, searched.scores, rtol=1e-5)


@pytest.mark.parametrize(("ours", "penalty"), PENALTIES)
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_equals_exhaustive_search(seed, ours, penalty):
    tables = random_tables(seed, time=2, vocab=7)
    decoded = beam_search(
        *markov(tables), beam_width=7, n_best=7, max_length=2, length_penalty=ours
    )
    for row, table in enumerate(tables):
        check_best(decoded, row, exhaustive(table, 2, START, penalty)[:7])


@pytest.mark.parametrize(("ours", "penalty"), PENALTIES)
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_equals_exhaustive_search_in_branching_tables(seed, ours, penalty):
    # At most 2, 4, 8, then 3 x 8 sequences, of which the likeliest 10 are kept when they end.
    tables = branching(seed, batch=2, time=3, vocab=12)
    decoded = beam_search(
        *markov(tables), beam_width=12, n_best=5, max_length=3, length_penalty=ours
    )
    for row, table in enumerate(tables):
        check_best(decoded, row, every_branch(table, 3, penalty)[:5])


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    vocab=st.integers(5, 7),
    beams=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    time=st.integers(1, 5),
    penalties=st.sampled_from(PENALTIES),
)
def test_any_beam_equals_the_reference_search(seed, vocab, beams, time, penalties):
    n_best, width = sorted(beams)
    ours, penalty = penalties
    tables = random_tables(seed, batch=3, time=time, vocab=vocab)
    decoded = beam_search(
        *markov(tables), beam_width=width, n_best=n_best, max_length=time, length_penalty=ours
    )
    for row, table in enumerate(tables):
        check_best(decoded, row, slow_beam(table, width, time, START, penalty))


def test_rows_are_independent():
    tables = random_tables(4, batch=4, time=6)
    together = beam_search(*markov(tables), beam_width=3, n_best=3, max_length=6)
    for row in range(4):
        alone = beam_search(*markov(tables[row : row + 1]), beam_width=3, n_best=3, max_length=6)
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"length_penalty": average_length},
        {"length_penalty": gnmt_length(-0.5)},
        {"groups": 2},
        {"required_phrases": [[[5]], [], [[4], [5]], [[4]]]},
    ],
)
def test_rows_have_their_own_maximum_lengths(options):
    tables, max_lengths = random_tables(13, batch=4, time=6), [1, 6, 3, 4]
    together = beam_search(
        *markov(tables), beam_width=6, n_best=4, max_length=6, max_lengths=max_lengths, **options
    )
    for row, length in enumerate(max_lengths):
        own = (
            {**options, "required_phrases": [options["required_phrases"][row]]}
            if "required_phrases" in options
            else {}
        )
        alone = beam_search(
            *markov(tables[row : row + 1]),
            beam_width=6,
            n_best=4,
            max_length=length,
            **{**options, **own},
        )
        np.testing.assert_array_equal(alone.ids[0], together.ids[row, :, :length])
        np.testing.assert_array_equal(together.ids[row, :, length:], 0)
        np.testing.assert_array_equal(alone.lengths[0], together.lengths[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-5)


def test_max_lengths_end_the_search():
    # What is likely ends; what is not could still win if it became very long.
    table = np.full((2, 200, 6, 6), -50.0)
    table[:, :, :, [END, 4]] = np.log([0.6, 0.4])
    step, state = markov(table)
    calls = tf.Variable(0)

    def counted(tokens, state):
        calls.assign_add(1)
        return step(tokens, state)

    options = {"beam_width": 2, "max_length": 200, "length_penalty": gnmt_length(1.0)}
    beam_search(counted, state, **options)
    whole = int(calls)
    beam_search(counted, state, **options, max_lengths=tf.constant([3, 5]))
    assert whole > 10
    assert int(calls) - whole == 1  # five tokens are too few to make up for 0.4 against 0.6


def test_results_are_sorted_and_unique():
    decoded = beam_search(*markov(random_tables(9, batch=5)), beam_width=6, n_best=6, max_length=4)
    assert np.all(np.diff(decoded.scores, axis=1) <= 0)
    for row in decoded.ids.numpy():
        assert len({tuple(ids) for ids in row}) == 6


def test_missing_hypotheses_are_empty():
    # "a" or the end at first, then the end: two sequences are possible.
    table = np.full((1, 2, 6, 6), -np.inf)
    table[0, 0, START, [4, END]] = np.log([0.75, 0.25])
    table[0, 1, :, END] = 0.0
    decoded = beam_search(*markov(table), beam_width=4, n_best=4, max_length=2)
    assert spell(decoded.ids[0]) == ["a>", ">_", "__", "__"]
    np.testing.assert_allclose(
        decoded.scores[0], [np.log(0.75), np.log(0.25), -np.inf, -np.inf], rtol=1e-5
    )


def test_states_and_alignments_follow_their_beam():
    """The state is each beam's history, and the alignments show it."""
    tables = random_tables(11, batch=4, time=5, spread=1.0)
    markov_step, markov_state = markov(tables)

    def step(tokens, state):
        history, inner = state
        at = inner[0][:, None]
        history = ops.where(ops.arange(5)[None] == at, tokens[:, None], history)
        logits, inner = markov_step(tokens, inner)
        return logits, (history, inner), ops.cast(history, "float32")

    state = (np.zeros((4, 5), "int32"), markov_state)
    decoded = beam_search(step, state, beam_width=4, n_best=4, max_length=5)
    ids, lengths, alignments = (np.asarray(part) for part in (*decoded[:2], decoded.alignments))
    assert len(np.unique(ids[:, :, 0])) > 1  # beams that are reordered, not one that wins
    for row, place in np.ndindex(4, 4):
        for t in range(5):
            past = [START, *ids[row, place, :t]] if t < lengths[row, place] else []
            np.testing.assert_array_equal(alignments[row, place, t], padded(past, 5))


@pytest.mark.parametrize("in_graph", [False, True])
def test_the_search_stops_when_no_beam_can_still_win(in_graph):
    step, state = speller(["ab>", "abcd>"])
    calls = tf.Variable(0)

    def counted(tokens, state):
        calls.assign_add(1)
        return step(tokens, state)

    def search():
        return beam_search(counted, state, beam_width=3, max_length=50).ids

    ids = tf.function(search)() if in_graph else search()
    assert [word.rstrip("_") for word in spell(ids[:, 0])] == ["ab>", "abcd>"]
    assert int(calls) == len("abcd>")


def test_the_search_continues_while_a_longer_sequence_can_win():
    # The end at once has 0.8; ten letters with 0.2 in all win by their length, a few do not.
    table = np.full((1, 10, 6, 6), -np.inf)
    table[0, 0, START, [END, 4]] = np.log([0.8, 0.2])
    table[0, 1:, 4, 4] = 0.0
    plain = beam_search(*markov(table), beam_width=2, max_length=10)
    average = beam_search(
        *markov(table), beam_width=2, max_length=10, length_penalty=average_length
    )
    assert spell(plain.ids[0]) == [">_________"]
    assert spell(average.ids[0]) == ["aaaaaaaaaa"]
    np.testing.assert_allclose(average.scores, [[np.log(0.2) / 10]], rtol=1e-5)


def test_the_search_continues_while_a_short_sequence_can_win():
    # Where length costs, one letter and the end still beat the end at once.
    table = np.full((1, 10, 6, 6), -50.0)
    table[0, 0, START, [END, 4]] = np.log([0.42, 0.58])
    table[0, 1:, 4, END] = 0.0
    shorter = gnmt_length(-1.0)
    decoded = beam_search(*markov(table), beam_width=2, max_length=10, length_penalty=shorter)
    assert spell(decoded.ids[0]) == ["a>________"]
    np.testing.assert_allclose(decoded.scores, [[np.log(0.58) * 7 / 6]], rtol=1e-5)


def test_coverage_prefers_hypotheses_that_cover_the_source():
    # "aa" looks twice at the first place, "ab" at both; "aa" is the likelier.
    table = np.full((1, 2, 6, 6), -50.0)
    table[0, 0, START, 4] = 0.0
    table[0, 1, 4, [4, 5]] = np.log([0.6, 0.4])
    inner, state = markov(table)

    def step(tokens, state):
        logits, after = inner(tokens, state)
        looks = ops.where(tokens[:, None] == START, [[0.9, 0.1, 0.0]], [[0.3, 0.7, 0.0]])
        return logits, after, looks

    mask = np.array([[True, True, False]])
    decoded = beam_search(
        step, state, beam_width=2, n_best=2, max_length=2, coverage_penalty=gnmt_coverage(0.5, mask)
    )
    missed = 0.5 * math.log(0.8)  # the first place has 1.2, which counts as 1
    np.testing.assert_allclose(
        decoded.scores, [[math.log(0.6) + missed, math.log(0.4) + missed]], rtol=1e-4
    )


def test_coverage_of_glimpses_ranks_sequences():
    # After "a" the step looks where it has been, after "b" at the rest.
    table = np.full((1, 2, 6, 6), -50.0)
    table[0, 0, START, [4, 5]] = np.log([0.6, 0.4])
    table[0, 1, :, END] = 0.0
    inner, state = markov(table)

    def step(tokens, state):
        logits, after = inner(tokens, state)
        looks = ops.where(tokens[:, None] == 5, [[0.1, 0.9]], [[0.9, 0.1]])
        return logits, after, ops.cast(looks[:, None, :], "float16")

    options = {"beam_width": 2, "n_best": 2, "max_length": 2}
    plain = beam_search(step, state, **options)
    covered = beam_search(step, state, **options, coverage_penalty=gnmt_coverage(1.0))
    assert spell(plain.ids[0]) == ["a>", "b>"]
    assert spell(covered.ids[0]) == ["b>", "a>"]
    np.testing.assert_allclose(
        covered.scores, [[math.log(0.4), math.log(0.6) + math.log(0.2)]], rtol=2e-3
    )
    assert covered.alignments.shape == (1, 2, 2, 1, 2)
