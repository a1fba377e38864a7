"""Constraints hold for all strategies, and leave the scores to the model."""

import itertools
from typing import Any

import numpy as np
import pytest

from rnnpipe.decoding import Constraints, beam_search, greedy_search, sample
from rnnpipe.decoding.constraints import Rules
from rnnpipe.text.tokens import END
from tests.decoding.steps import log_softmax, markov, spell, speller

WAYS = {
    "greedy": greedy_search,
    "sample": lambda *args, **options: sample(*args, seed=1, temperature=1e-3, **options),
    "beam of 1": lambda *args, **options: beam_search(*args, beam_width=1, **options),
    "beam of 4": lambda *args, **options: beam_search(*args, beam_width=4, **options),
}
every_way = pytest.mark.parametrize("decode", WAYS.values(), ids=WAYS)


def babbler(*likelihoods, time=8, batch=1):
    """A step that always prefers the same letters, e.g. `("a", 0.6), (">", 0.4)`."""
    table = np.full((batch, time, 8, 8), -30.0)
    for letter, likelihood in likelihoods:
        table[..., "_?<>abcd".index(letter)] = np.log(likelihood)
    return markov(table)


@every_way
@pytest.mark.parametrize(
    ("least", "word"), [(0, ">"), (1, ">"), (2, "a>"), (4, "aaa>"), (6, "aaaaa>")]
)
def test_no_sequence_is_shorter(decode, least, word):
    step, state = babbler(("a", 0.3), (">", 0.7))
    decoded = decode(step, state, max_length=8, constraints=Constraints(min_length=least))
    assert spell(decoded.ids[0]) == [word.ljust(8, "_")]
    score = (len(word) - 1) * np.log(0.3) + np.log(0.7)
    np.testing.assert_allclose(decoded.scores, [[score]], rtol=1e-5)


@every_way
def test_banned_tokens_never_come(decode):
    step, state = babbler(("a", 0.5), ("b", 0.3), ("c", 0.2))
    decoded = decode(step, state, max_length=4, constraints=Constraints(banned_tokens=[4, 6]))
    assert spell(decoded.ids[0]) == ["bbbb"]
    np.testing.assert_allclose(decoded.scores, [[4 * np.log(0.3)]], rtol=1e-5)


@every_way
def test_a_banned_end_token_fills_the_maximum_length(decode):
    step, state = babbler((">", 0.9), ("a", 0.1))
    decoded = decode(step, state, max_length=4, constraints=Constraints(banned_tokens=[END]))
    assert spell(decoded.ids[0]) == ["aaaa"]


@pytest.mark.parametrize(
    ("n", "word"),
    # One of a kind; then no pair twice; then no three twice.
    [(0, "aaaaaaaa"), (1, "abc>____"), (2, "aabaca>_"), (3, "aaabaaca"), (9, "aaaaaaaa")],
)
def test_no_ngram_comes_twice(n, word):
    step, state = babbler(("a", 0.6), ("b", 0.3), ("c", 0.09), (">", 0.01))
    constraints = Constraints(no_repeat_ngram=n)
    decoded = greedy_search(step, state, max_length=8, constraints=constraints)
    assert spell(decoded.ids[0]) == [word]


@every_way
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_strategy_repeats_an_ngram(decode, n):
    tables = np.random.default_rng(n).normal(size=(5, 12, 6, 6))
    tables[..., END] -= 4
    constraints = Constraints(no_repeat_ngram=n)
    decoded = decode(*markov(tables), max_length=12, constraints=constraints)
    for row in range(5):
        ids = decoded.ids[row, 0, : int(decoded.lengths[row, 0])].numpy().tolist()
        ngrams = [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]
        assert len(ngrams) == len(set(ngrams))
        path = [2, *ids]
        pairs = enumerate(itertools.pairwise(path))
        score = sum(log_softmax(tables[row, t, a])[b] for t, (a, b) in pairs)
        np.testing.assert_allclose(decoded.scores[row, 0], score, rtol=1e-4)


@every_way
def test_a_sequence_without_continuation_ends(decode):
    step, state = babbler(("a", 0.6), ("b", 0.4))
    constraints = Constraints(banned_tokens=[0, 1, 2, END, 6, 7], no_repeat_ngram=1)
    decoded = decode(step, state, max_length=6, constraints=constraints)
    assert sorted(spell(decoded.ids[0])[0][:2]) == ["a", "b"]
    assert spell(decoded.ids[0])[0][2:] == ">___"


@every_way
def test_rows_begin_with_their_prefix(decode):
    step, state = speller(["xyz>", "uvw>", "rst>"])
    prefix = np.array([[4, 5], [6, 0], [0, 0]])
    decoded = decode(step, state, max_length=5, constraints=Constraints(prefix=prefix))
    assert spell(decoded.ids[:, 0]) == ["abz>_", "cvw>_", "rst>_"]


def test_a_prefix_may_be_lists():
    step, state = speller(["xyz>", "uvw>", "rst>"])
    constraints = Constraints(prefix=[[4, 5], [6], []])
    decoded = greedy_search(step, state, max_length=5, constraints=constraints)
    assert spell(decoded.ids[:, 0]) == ["abz>_", "cvw>_", "rst>_"]


@every_way
def test_a_prefix_counts_in_the_score_and_overrides_constraints(decode):
    step, state = babbler(("a", 0.6), ("b", 0.4))
    constraints = Constraints(prefix=np.array([[5, 5, END]]), banned_tokens=[5], min_length=6)
    decoded = decode(step, state, max_length=8, constraints=constraints)
    assert spell(decoded.ids[0]) == ["bb>_____"]
    np.testing.assert_allclose(decoded.scores, [[2 * np.log(0.4) - 30]], rtol=1e-5)


def test_a_prefix_is_history_to_ngrams():
    step, state = babbler(("a", 0.6), ("b", 0.4))
    constraints = Constraints(prefix=np.array([[4, 5]]), no_repeat_ngram=2)
    decoded = greedy_search(step, state, max_length=5, constraints=constraints)
    assert spell(decoded.ids[0])[0][:4] == "abaa"


def test_beams_of_a_prefix_are_different():
    step, state = babbler(("a", 0.5), ("b", 0.3), ("c", 0.2))
    constraints = Constraints(prefix=np.array([[7, 7]]))
    decoded = beam_search(
        step, state, beam_width=3, n_best=3, max_length=3, constraints=constraints
    )
    assert spell(decoded.ids[0]) == ["dda", "ddb", "ddc"]


def test_rules_forbid_exactly_the_repetitions():
    ids = np.array([[4, 5, 4, 0, 0, 0], [4, 4, 4, 0, 0, 0], [4, 5, 6, 0, 0, 0]], "int32")
    rules = Rules(Constraints(no_repeat_ngram=2), (3, 8), max_length=6, end=END)
    found: Any = np.isneginf(rules(np.zeros((3, 8), "float32"), ids, 3))
    assert [set(np.flatnonzero(row)) for row in found] == [{5}, {4}, set()]
