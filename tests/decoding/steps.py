"""Steps made by hand, and decoding done the slow and obvious way."""

import itertools
import math
from typing import Any

import numpy as np
from keras import ops

from rnnpipe.text.tokens import END, PAD, START

LETTERS = "_?<>abcdefghijklmnopqrstuvwxyz"  # PAD, UNKNOWN, START, END, then the alphabet


def spell(ids):
    """`(..., time)` as words: the end token is >, padding is _."""
    ids = np.asarray(ids)
    if ids.ndim == 1:
        return "".join(LETTERS[token] for token in ids)
    return [spell(row) for row in ids]


def tokens(word):
    return [LETTERS.index(letter) for letter in word]


def speller(words, confidence=20.0):
    """A step that says a word a row, whatever was chosen; its state is where the words are."""
    time = max(map(len, words))
    script = np.array([tokens(word.ljust(time, "_")) for word in words], "int32")

    def step(_, state):
        says = ops.take_along_axis(state["script"], state["at"][:, None], axis=1)[:, 0]
        after = {"script": state["script"], "at": ops.minimum(state["at"] + 1, time - 1)}
        return confidence * ops.one_hot(says, len(LETTERS)), after

    return step, {"script": script, "at": np.zeros(len(words), "int32")}


def markov(tables):
    """A step whose logits `tables[time, last token]` give, and its state for a batch.

    Args:
        tables: `(batch, time, vocab, vocab)`; a row each, which the state carries.
    """

    def step(last, state):
        at, tables = state
        here = ops.take_along_axis(tables, at[:, None, None, None], axis=1)[:, 0]
        logits = ops.take_along_axis(here, last[:, None, None], axis=1)[:, 0]
        return logits, (at + 1, tables)

    batch = len(tables)
    return step, (np.zeros(batch, "int32"), np.asarray(tables, "float32"))


def branching(seed, batch, time, vocab, branches=2):
    """Each token goes on to `branches` others or ends: so a beam of `branches`^k is exhaustive."""
    random = np.random.default_rng(seed)
    tables = np.full((batch, time, vocab, vocab), -np.inf)
    others = [token for token in range(vocab) if token != END]
    for row in tables.reshape(-1, vocab):
        row[[END, *random.choice(others, branches, replace=False)]] = random.normal(
            size=branches + 1
        )
    return tables


def log_softmax(logits):
    logits = np.asarray(logits, "float64")
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def probability(table, sequence, start):
    """The log-probability of a sequence under one row's tables."""
    path = [start, *sequence]
    return sum(log_softmax(table[t][path[t]])[path[t + 1]] for t in range(len(sequence)))


def every_sequence(vocab, max_length):
    """All that decoding may return: ended by the end token, or as long as may be."""
    others = [token for token in range(vocab) if token != END]
    for length in range(1, max_length + 1):
        for body in itertools.product(others, repeat=length - 1):
            yield (*body, END)
    yield from itertools.product(others, repeat=max_length)


def exhaustive(table, max_length, start, penalty=lambda length: 1.0):
    """All sequences with their scores, the best first."""
    found = [
        (probability(table, sequence, start) / penalty(len(sequence)), sequence)
        for sequence in every_sequence(table.shape[-1], max_length)
    ]
    return sorted((pair for pair in found if pair[0] > -math.inf), reverse=True)


def every_branch(table, max_length, penalty=lambda length: 1.0):
    """As `exhaustive`, by following only what is possible."""
    found: list[tuple[Any, tuple[int, ...]]] = []
    living: list[tuple[Any, tuple[int, ...]]] = [(0.0, (START,))]
    for t in range(max_length):
        grown = [
            (total + log_softmax(table[t][path[-1]])[token], (*path, int(token)))
            for total, path in living
            for token in np.flatnonzero(np.isfinite(table[t][path[-1]]))
        ]
        done = [path[-1] == END or t + 1 == max_length for _, path in grown]
        found += [pair for pair, is_done in zip(grown, done, strict=True) if is_done]
        living = [pair for pair, is_done in zip(grown, done, strict=True) if not is_done]
    return sorted(((total / penalty(len(p) - 1), p[1:]) for total, p in found), reverse=True)


def slow_beam(table, width, max_length, start, penalty=lambda length: 1.0):
    """Beam search of one row with lists, which never stops early: all that ended, best first."""
    living: list[tuple[Any, tuple[int, ...]]] = [(0.0, ())]
    ended: list[tuple[Any, tuple[int, ...]]] = []
    for t in range(max_length):
        grown = [
            (total + gain, (*sequence, token))
            for total, sequence in living
            for token, gain in enumerate(log_softmax(table[t][(start, *sequence)[-1]]))
        ]
        living = []
        for total, sequence in sorted(grown, reverse=True)[:width]:
            if total == -math.inf:
                continue
            if sequence[-1] == END or t + 1 == max_length:
                ended.append((total / penalty(len(sequence)), sequence))
            else:
                living.append((total, sequence))
    return sorted(ended, reverse=True)


def padded(sequence, time):
    return [*sequence, *[PAD] * (time - len(sequence))]


def check_best(decoded, row, expected):
    """That a row is the best of `expected`, pairs of score and sequence, the best first."""
    n_best, time = decoded.ids.shape[1:]
    for place, (score, sequence) in enumerate(expected[:n_best]):
        np.testing.assert_array_equal(decoded.ids[row, place], padded(sequence, time))
        np.testing.assert_allclose(decoded.scores[row, place], score, rtol=1e-5, atol=1e-6)
        assert int(decoded.lengths[row, place]) == len(sequence)
    for place in range(len(expected), n_best):
        assert float(decoded.scores[row, place]) == -math.inf
        assert int(decoded.lengths[row, place]) == 0
        assert not np.any(decoded.ids[row, place])
