"""Models that decode together say what their averaged probabilities say."""

import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding import beam_search, ensemble, greedy_search
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import START
from tests.decoding.steps import log_softmax, markov, padded, slow_beam


def tables(seed, vocab=6):
    return np.random.default_rng(seed).normal(size=(3, 4, vocab, vocab), scale=2.0)


def looking(step, sees):
    return lambda tokens, state: (*step(tokens, state), ops.zeros_like(tokens)[:, None] + sees)


EXTREME = [[1e-300, 3e-300], [3e307, 9e307], np.array([1e-40, 3e-40])]
"""Weights of which quotients, or sums, are no floats."""


@pytest.mark.parametrize("weights", [None, [1, 3], *EXTREME])
def test_probabilities_are_averaged(weights):
    one, other = tables(1), tables(2)
    shares = [0.5, 0.5] if weights is None else [0.25, 0.75]
    joint = np.log(shares[0] * np.exp(log_softmax(one)) + shares[1] * np.exp(log_softmax(other)))
    (first, a), (second, b) = markov(one), markov(other)
    together = ensemble([first, second], weights)
    decoded = beam_search(together, (a, b), beam_width=3, n_best=2, max_length=4)
    for row in range(3):
        expected = slow_beam(joint[row], 3, 4, START)[:2]
        assert decoded.ids[row].numpy().tolist() == [padded(ids, 4) for _, ids in expected]
        np.testing.assert_allclose(decoded.scores[row], [score for score, _ in expected], rtol=1e-5)


def test_alignments_are_those_of_each_step():
    (first, a), (second, b) = markov(tables(1)), markov(tables(2))
    both = ensemble([looking(first, 1), looking(second, 2)])
    one, other = greedy_search(both, (a, b), max_length=4, end=0).alignments
    np.testing.assert_array_equal(2 * one, other)
    assert ops.max(one) == 1
    half = greedy_search(ensemble([first, looking(second, 2)]), (a, b), max_length=4, end=0)
    none, alone = half.alignments
    assert none == ()
    assert ops.max(alone) == 2
    neither = ensemble([first, second])
    assert greedy_search(neither, (a, b), max_length=4).alignments is None


def test_wrong_use_is_refused():
    (first, a), (second, b) = markov(tables(1)), markov(tables(2, vocab=7))
    with pytest.raises(UserError, match=r"ensemble: expected one vocabulary, got \[6, 7\]"):
        greedy_search(ensemble([first, second]), (a, b), max_length=4)
    for weights in ([1], [1, 0]):
        with pytest.raises(UserError, match="ensemble: expected weights above 0 for 2 steps"):
            ensemble([first, second], weights)
    with pytest.raises(UserError, match="for 0 steps, at least one"):
        ensemble([])
    with pytest.raises(UserError, match="ensemble: expected a state for each of 2 models, got 1"):
        greedy_search(ensemble([first, second]), (a,), max_length=4)
