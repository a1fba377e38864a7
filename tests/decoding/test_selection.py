"""Groups of beams find sequences unlike each other's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.decoding import average_length, beam_search, gnmt_coverage
from rnnpipe.text.tokens import END, START
from tests.decoding.steps import check_best, log_softmax, markov, spell
from tests.decoding.test_backends import attending


def slow_groups(table, width, groups, strength, max_length, n_best, penalty=lambda length: 1.0):
    """Diverse beam search of one row with lists, which never stops early: all kept, best first."""
    living = [[(0.0, ())] for _ in range(groups)]
    ended = [[] for _ in range(groups)]
    for t in range(max_length):
        taken = np.zeros(table.shape[-1])
        for group in range(groups):
            grown = [
                (total + gain - strength * taken[token], total + gain, (*sequence, token))
                for total, sequence in living[group]
                for token, gain in enumerate(log_softmax(table[t][(START, *sequence)[-1]]))
            ]
            living[group] = []
            for _, total, sequence in sorted(grown, reverse=True)[: width // groups]:
                taken[sequence[-1]] += 1
                if sequence[-1] == END or t + 1 == max_length:
                    ended[group].append((total / penalty(len(sequence)), sequence))
                else:
                    living[group].append((total, sequence))
    best = [pair for found in ended for pair in sorted(found, reverse=True)[: n_best // groups]]
    return sorted(best, reverse=True)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    groups=st.sampled_from([1, 2, 3, 6]),
    strength=st.sampled_from([0.0, 0.3, 2.0, 50.0]),
)
def test_groups_equal_the_reference_search(seed, groups, strength):
    tables = np.random.default_rng(seed).normal(size=(2, 4, 7, 7), scale=2.0)
    # A group that stopped would no longer say its tokens: so all go to the end.
    tables[..., END] = -60.0
    decoded = beam_search(
        *markov(tables),
        beam_width=6,
        n_best=6,
        groups=groups,
        diversity=strength,
        max_length=4,
        length_penalty=average_length,
    )
    for row, table in enumerate(tables):
        check_best(
            decoded, row, slow_groups(table, 6, groups, strength, 4, 6, lambda length: length)
        )


def test_groups_have_different_captions():
    table = np.full((1, 3, 8, 8), -30.0)
    table[..., [4, 5, 6]] = np.log([0.5, 0.3, 0.2])
    options = {"beam_width": 3, "n_best": 3, "max_length": 3}
    alike = beam_search(*markov(table), **options)
    apart = beam_search(*markov(table), **options, groups=3, diversity=5.0)
    assert spell(alike.ids[0])[0] == "aaa"
    assert spell(apart.ids[0]) == ["aaa", "bbb", "ccc"]
    np.testing.assert_allclose(apart.scores[0], 3 * np.log([0.5, 0.3, 0.2]), rtol=1e-5)


def test_groups_are_equal_without_diversity():
    tables = np.random.default_rng(3).normal(size=(2, 4, 7, 7))
    alone = beam_search(*markov(tables), beam_width=2, n_best=1, max_length=4)
    groups = beam_search(
        *markov(tables), beam_width=6, n_best=3, max_length=4, groups=3, diversity=0.0
    )
    for group in range(3):
        np.testing.assert_array_equal(groups.ids[:, group], alone.ids[:, 0])
        np.testing.assert_allclose(groups.scores[:, group], alone.scores[:, 0], rtol=1e-6)


@pytest.mark.parametrize("groups", [2, 4])
def test_alignments_and_coverage_follow_their_group(groups):
    tables = np.random.default_rng(4).normal(size=(3, 5, 8, 8)).astype("float32")
    step, state = attending(tables)
    mask = np.array([[True, True, True], [True, True, False], [True, False, False]])
    decoded = beam_search(
        step,
        state,
        beam_width=4,
        n_best=4,
        max_length=5,
        groups=groups,
        diversity=1.0,
        coverage_penalty=gnmt_coverage(0.4, mask),
    )
    parts = (np.asarray(part) for part in (*decoded[:3], decoded.alignments))
    ids, lengths, scores, alignments = parts
    for row, place in np.ndindex(3, 4):
        length = lengths[row, place]
        path = [START, *ids[row, place, :length]]
        looks = np.array([[a % 3 + 1, a % 4 + 1, a % 5] for a in path[:-1]])
        looks = np.exp(log_softmax(looks))
        np.testing.assert_allclose(alignments[row, place, :length], looks, rtol=1e-4)
        said = sum(log_softmax(tables[row, t, path[t]])[path[t + 1]] for t in range(length))
        read = np.minimum(looks.sum(axis=0), 1.0)[mask[row]]
        expected = said + 0.4 * sum(map(math.log, read))
        np.testing.assert_allclose(scores[row, place], expected, rtol=1e-4, atol=1e-4)
    assert np.all(np.diff(scores, axis=1) <= 0)
