"""Constraints and selections of a caller's own, against brute force."""

import re

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import (
    Constraints,
    RowwiseStep,
    beam_search,
    greedy_search,
    sample,
    top_continuations,
)
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END, START
from tests.decoding.steps import check_best, exhaustive, log_softmax, markov

TIME, VOCAB = 4, 6


def ascending(log_probs, ids, t):
    """Each token is higher than the one before, or the end."""
    last = ops.where(t > 0, ops.take(ids, ops.maximum(t - 1, 0), axis=1), END)[:, None]
    vocab = ops.arange(log_probs.shape[-1], dtype="int32")[None]
    return ops.where(ops.logical_or(vocab > last, vocab == END), log_probs, -float("inf"))


def is_ascending(sequence):
    pairs = zip((END, *sequence), sequence, strict=False)
    return all(token > last or token == END for last, token in pairs)


def only_children(scores, log_probs, ids, t):
    """At most one continuation of each beam, but for the first step."""
    best = ops.max(log_probs, axis=-1, keepdims=True)
    alone = ops.where(ops.logical_or(log_probs >= best, t == 0), log_probs, -float("inf"))
    return top_continuations(scores, alone, ids, t)


def tables(seed, batch=3):
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, TIME, VOCAB, VOCAB), scale=2.0).astype("float32")


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_equals_exhaustive_constrained_search(seed):
    table = tables(seed)
    decoded = beam_search(
        *markov(table), beam_width=VOCAB, n_best=4, max_length=TIME, constraints=ascending
    )
    for row in range(3):
        allowed = [pair for pair in exhaustive(table[row], TIME, START) if is_ascending(pair[1])]
        check_best(decoded, row, allowed[:4])


@pytest.mark.parametrize(
    "decode",
    [
        greedy_search,
        lambda *args, **options: sample(*args, seed=1, samples=9, **options),
        lambda *args, **options: beam_search(*args, beam_width=4, n_best=4, groups=2, **options),
    ],
    ids=["greedy", "sample", "groups"],
)
def test_every_strategy_obeys_the_constraint(decode):
    both = [ascending, Constraints(min_length=2)]
    for constraints in (ascending, both):
        decoded = decode(*markov(tables(4)), max_length=TIME, constraints=constraints)
        ids, lengths = np.asarray(decoded.ids), np.asarray(decoded.lengths)
        for place in np.ndindex(lengths.shape):
            sequence = ids[place][: lengths[place]].tolist()
            assert is_ascending(sequence)
            assert constraints is ascending or len(sequence) != 1


def test_a_sequence_ends_where_no_token_is_allowed():
    def nothing_after_two(log_probs, ids, t):
        del ids
        return ops.where(t < 2, log_probs, -float("inf"))

    options = {"max_length": TIME, "constraints": [nothing_after_two, Constraints(min_length=3)]}
    for decode in (greedy_search, lambda *a, **o: beam_search(*a, beam_width=2, **o)):
        decoded = decode(*markov(tables(5)), **options)
        assert np.asarray(decoded.lengths).ravel().tolist() == [3] * 3
        assert np.all(np.asarray(decoded.ids)[:, 0, 2] == END)


class FirstTokens:
    """Forces the first token of each row, and counts the rows that it is called with."""

    def __init__(self, tokens, rows=None):
        self.tokens, self.rows = ops.cast(tokens, "int32"), [] if rows is None else rows

    def __call__(self, log_probs, ids, t):
        del ids
        self.rows.append(log_probs.shape[0])
        vocab = ops.arange(VOCAB, dtype="int32")[None]
        allowed = ops.logical_or(t > 0, vocab == self.tokens[:, None])
        return ops.where(allowed, log_probs, -float("inf"))

    def select_rows(self, rows):
        return FirstTokens(ops.take(self.tokens, rows, axis=0), self.rows)


@pytest.mark.parametrize("width", [None, 2])
def test_a_constraint_with_select_rows_allows_batch_compaction(width):
    table = tables(6, batch=8)
    table[:, 1:, :, END] += np.linspace(-9, 9, 8)[:, None, None]  # some rows end soon, some late
    step, state = markov(table)
    first = np.repeat(np.arange(8) % 2 + 4, width or 1)

    def search(step, constraint):
        options = {"max_length": TIME, "constraints": constraint}
        if width is None:
            return greedy_search(step, state, **options)
        return beam_search(step, state, beam_width=width, **options)

    selecting = FirstTokens(first)
    compacted = search(RowwiseStep(step), selecting)
    assert len(set(selecting.rows)) > 1
    whole = FirstTokens(first)
    kept = search(RowwiseStep(step), whole.__call__)
    assert set(whole.rows) == {len(first)}
    for part, other in zip(compacted[:3], kept[:3], strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5)
    assert np.asarray(compacted.ids)[:, 0, 0].tolist() == (np.arange(8) % 2 + 4).tolist()


def test_a_selection_chooses_the_hypotheses():
    table = tables(7)
    table[..., END] = -60.0
    decoded = beam_search(
        *markov(table), beam_width=3, n_best=3, max_length=TIME, selection=only_children
    )
    for row in range(3):
        starts = np.argsort(-log_softmax(table[row, 0, START]), kind="stable")[:3]
        expected = []
        for start in starts:
            path = [int(start)]
            score = log_softmax(table[row, 0, START])[start]
            for t in range(1, TIME):
                following = log_softmax(table[row, t, path[-1]])
                path.append(int(following.argmax()))
                score += following.max()
            expected.append((score, tuple(path)))
        check_best(decoded, row, sorted(expected, reverse=True))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_both_run_in_a_compiled_graph(jit_compile):
    step, state = markov(tables(8))

    def search(*state):
        options = {"constraints": ascending, "selection": only_children, "groups": 2}
        return beam_search(step, state, beam_width=4, n_best=2, max_length=TIME, **options)

    compiled = tf.function(search, jit_compile=jit_compile)(*state)
    for part, other in zip(compiled[:3], search(*state)[:3], strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"constraints": 5}, "constraints: expected Constraints, or functions constraint("),
        ({"constraints": [Constraints(), Constraints()]}, "one Constraints at most, got 2"),
        (
            {"constraints": lambda log_probs, ids, t: log_probs[:, :1]},
            "constraints: expected log-probabilities of shape (6, 6) from a constraint, got (6, 1)",
        ),
        ({"selection": "best"}, "selection: expected a function selection(scores, log_probs"),
        (
            {"selection": top_continuations, "required_phrases": [[[5]]] * 3},
            "selection: expected either a selection or required_phrases, got both",
        ),
    ],
)
def test_wrong_use_is_refused(options, complaint):
    with pytest.raises(UserError, match=re.escape(complaint)):
        beam_search(*markov(tables(9)), beam_width=2, max_length=TIME, **options)
