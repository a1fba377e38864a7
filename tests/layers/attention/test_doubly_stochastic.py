"""The doubly stochastic penalty by hand."""

import numpy as np

from rnnpipe.layers import doubly_stochastic_penalty
from tests.layers.comparing import close


def test_equals_the_sum_written_out(random):
    alignments = random.random((2, 3, 2, 2, 4))  # (batch, target_time, glimpses, height, width)
    mask = np.array([[True, True, True], [True, True, False]])
    readable = random.random((2, 2, 4)) < 0.7
    found = doubly_stochastic_penalty(alignments, mask, readable, weight=0.5)
    for n in range(2):
        expected = 0.0
        for k, y, x in np.ndindex(2, 2, 4):
            looked = sum(alignments[n, t, k, y, x] for t in range(3) if mask[n, t])
            expected += 0.5 * readable[n, y, x] * (1 - looked) ** 2 / 2
        close(found[n], expected, 1e-12)


def test_padding_changes_nothing(random):
    alignments = random.random((2, 3, 1, 5))
    padded = np.pad(alignments, [(0, 0), (0, 1), (0, 0), (0, 2)], constant_values=np.nan)
    mask, readable = np.arange(4)[None] < [[3], [3]], np.arange(7)[None] < [[5], [5]]
    close(doubly_stochastic_penalty(padded, mask, readable), doubly_stochastic_penalty(alignments))


def test_each_position_once_costs_nothing():
    close(doubly_stochastic_penalty(np.eye(4)[None, :, None]), [0.0])
