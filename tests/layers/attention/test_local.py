"""Where local attention looks, and what it refuses."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import GatedAttention, GeneralAttention, LocalAttention, MonotonicAttention
from tests.layers.attention.mechanisms import filled


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_far_positions_are_exact_in_half_precision(random, dtype):
    layer = LocalAttention(GeneralAttention(dtype=dtype), units=2, reach=2)
    filled(layer, random, 2)
    layer.position_score.assign(np.zeros((2, 1)))  # p is half the length
    _, alignments = layer(np.ones((1, 2)), np.ones((1, 1201, 4)))
    seen = np.flatnonzero(alignments[0, 0])
    assert seen.tolist() == [599, 600, 601, 602]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LocalAttention(GeneralAttention(), reach=0),
            "a reach of 1, got units=64, reach=0",
        ),
        (
            lambda: LocalAttention(MonotonicAttention(GeneralAttention())),
            "LocalAttention: expected a mechanism that aligns by softmax, got MonotonicAttention",
        ),
        (lambda: GatedAttention(None), "GatedAttention: expected a mechanism, got NoneType"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_wrapper_around_a_sequence_mechanism_reads_only_sequences():
    layer = GatedAttention(LocalAttention(GeneralAttention()))
    with pytest.raises(
        UserError, match=r"a memory \(batch, source_time, features\), got \(1, 2, 2"
    ):
        layer(np.ones((1, 2)), np.ones((1, 2, 2, 4)))
