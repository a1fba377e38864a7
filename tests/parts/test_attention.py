"""Every attention mechanism, over sequences and grids, in a decoder."""

from typing import Any

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions, AttentionOptions, DotAttentionOptions
from rnnpipe.parts.attention_wrappers import (
    GatedAttentionOptions,
    HardAttentionOptions,
    LocalAttentionOptions,
    MonotonicAttentionOptions,
)
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.decoder import DecoderOptions
from tests.parts.common import check_round_trip

KINDS: dict[str, Any] = AttentionOptions.kinds.load()
RANDOM = np.random.default_rng(1)
MEMORY = RANDOM.normal(size=(2, 6, 4)).astype("float32")
GRID = MEMORY.reshape(2, 2, 3, 4)
MASK = np.array([[1] * 6, [1] * 4 + [0] * 2], bool)
SMALL = {
    "additive": {"units": 3, "glimpses": 2},
    "coverage": {"units": 3},
    "location": {"units": 3, "filters": 2, "kernel_size": 3},
    "multi_head": {"num_heads": 2, "key_dim": 3},
    "local": {"units": 3, "reach": 2},
}
OVER_GRIDS = [kind for kind, options in KINDS.items() if options().reads_grids]


def decode(options, memory, **arguments):
    # A dot product needs queries of the memory's size.
    decoder = DecoderOptions(cell=GRUOptions(units=4), attention=options).make(11, 4)
    return decoder(np.ones((2, 3), "int32"), memory, **arguments)


def alignments_of(options, memory, **arguments):
    logits, alignments = decode(options, memory, **arguments)
    assert tuple(logits.shape) == (2, 3, 11)
    if isinstance(alignments, dict):  # of hard attention: samples and probabilities
        alignments = alignments["probabilities"]
    return np.asarray(alignments)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mechanism_attends_to_a_sequence_but_not_to_its_padding(kind):
    alignments = alignments_of(KINDS[kind](**SMALL.get(kind, {})), MEMORY, memory_mask=MASK)
    assert alignments.shape[:2] == (2, 3)
    assert alignments.shape[-1] == 6
    np.testing.assert_allclose(alignments[1, ..., 4:], 0, atol=1e-6)
    assert alignments.max() > 0


@pytest.mark.parametrize("kind", OVER_GRIDS)
def test_mechanisms_attend_to_grids(kind):
    alignments = alignments_of(KINDS[kind](**SMALL.get(kind, {})), GRID)
    assert alignments.shape[-2:] == (2, 3)
    np.testing.assert_allclose(alignments.sum((-1, -2)), 1, atol=1e-5)


def test_wrappers_that_align_in_their_own_way_read_sequences_alone():
    assert set(KINDS) - set(OVER_GRIDS) == {"local", "monotonic"}
    assert not GatedAttentionOptions(mechanism=LocalAttentionOptions()).reads_grids


@pytest.mark.parametrize("wrapper", [LocalAttentionOptions, MonotonicAttentionOptions])
def test_wrappers_of_softmax_refuse_other_mechanisms(wrapper):
    with pytest.raises(UserError, match=r"mechanism.kind: expected a mechanism that aligns by sof"):
        wrapper(mechanism=GatedAttentionOptions())


def test_hard_attention_is_sampled_once():
    assert GatedAttentionOptions(mechanism=HardAttentionOptions()).is_hard
    with pytest.raises(UserError, match="mechanism: expected a mechanism that is not hard itself"):
        HardAttentionOptions(mechanism=HardAttentionOptions())


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_yaml_and_pickling(kind):
    check_round_trip(AttentionOptions, KINDS[kind](**SMALL.get(kind, {})))
    nested = GatedAttentionOptions(mechanism=KINDS[kind](), per_feature=True)
    check_round_trip(AttentionOptions, nested)


def test_settings_reach_the_mechanism():
    hard = HardAttentionOptions(mechanism=AdditiveAttentionOptions(units=3), expected_share=0.25)
    assert hard.make(seed=1).expected_share == 0.25
    assert DotAttentionOptions(scale="sqrt").make().get_config()["scale"] == "sqrt"
