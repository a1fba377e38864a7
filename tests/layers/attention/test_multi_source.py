"""Attention over several memories against its mechanisms and NumPy."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    AdditiveAttention,
    CoverageAttention,
    GatedAttention,
    HierarchicalAttention,
    MultiSourceAttention,
)
from tests.layers.attention.oracles import softmax
from tests.layers.comparing import all_close, close

BATCH, QUERY, UNITS = 2, 5, 6
GRID, TEXT = (BATCH, 2, 3, 4), (BATCH, 5, 3)
MASK = np.array([[True, True, True, False, False], [True, False, False, False, False]])


def mechanisms(**options):
    return [AdditiveAttention(3, glimpses=2, **options), CoverageAttention(2, **options)]


def built(kind, random, **options):
    layer = kind(mechanisms(dtype="float64"), **options)
    layer.build((None, QUERY), [(None, *GRID[1:]), (None, *TEXT[1:])])
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


@pytest.fixture
def query(random):
    return random.normal(size=(BATCH, QUERY))


@pytest.fixture
def memory(random):
    return [random.normal(size=GRID), random.normal(size=TEXT)]


def test_contexts_are_concatenated(random, query, memory):
    layer = built(MultiSourceAttention, random)
    context, alignments = layer(query, memory, [None, MASK])
    image, text = layer.mechanisms
    first, second = image(query, memory[0]), text(query, memory[1], MASK)
    close(context, np.concatenate([first[0], second[0]], axis=-1))
    all_close(alignments, [first[1], second[1]])
    assert context.shape[-1] == layer.context_features == 2 * 4 + 3


def test_hierarchical_equals_the_oracle(random, query, memory):
    layer = built(HierarchicalAttention, random, units=UNITS)
    context, alignments = layer(query, memory, [None, MASK])
    w, v, *kernels = [weight.numpy() for weight in layer.weights[:6]]
    found = [
        mechanism(query, each, mask)[0].numpy()
        for mechanism, each, mask in zip(layer.mechanisms, memory, [None, MASK], strict=True)
    ]
    for n in range(BATCH):
        scores = [v @ np.tanh(query[n] @ w + found[k][n] @ kernels[k]) for k in range(2)]
        shares = softmax(scores)
        close(alignments[-1][n, 0], shares, 1e-12)
        close(context[n], sum(shares[k] * found[k][n] @ kernels[2 + k] for k in range(2)), 1e-12)
    assert context.shape[-1] == layer.context_features == UNITS


@pytest.mark.parametrize(
    ("kind", "options"), [(MultiSourceAttention, {}), (HierarchicalAttention, {"units": 6})]
)
def test_states_and_keys_are_those_of_the_mechanisms(random, query, memory, kind, options):
    layer = built(kind, random, **options)
    mask = [None, MASK]
    keys, state = layer.project(memory, mask), layer.first_state(memory, mask)
    _, first = layer(query, memory, mask, keys=keys, state=state)
    state = layer.next_state(state, first)
    assert state[0] == ()
    close(state[1], first[1])
    _, second = layer(query, memory, mask, keys=keys, state=state)
    close(second[0], first[0])
    assert np.abs(second[1] - first[1]).max() > 1e-3


def test_masks_that_memories_carry_are_taken(random, query, memory):
    text = keras.layers.Masking()(np.where(MASK[:, :, None], memory[1], 0.0).astype("float32"))
    layer = MultiSourceAttention([AdditiveAttention(3), GatedAttention(AdditiveAttention(3))])
    _, alignments = layer(query, [memory[0], text])
    assert np.all(alignments[1].numpy()[:, 0][MASK] > 0)
    assert not np.any(alignments[1].numpy()[:, 0][~MASK])


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        (lambda m: m[0], r"a list of 2 memories, got one of shape \(2, 2, 3, 4\); pass them in"),
        (lambda m: m[:1], "a list of 2, got 1; pass a list with one for each mechanism"),
    ],
)
def test_wrong_memories_are_refused(random, query, memory, message):
    layer = MultiSourceAttention(mechanisms(), name="both")
    given = [keras.ops.zeros(GRID), keras.ops.zeros(TEXT)]
    with pytest.raises(UserError, match=f"MultiSourceAttention 'both': expected {message}"):
        layer(query, memory(given))


def test_wrong_arguments_are_refused():
    with pytest.raises(UserError, match="a mechanism for each memory, got none"):
        MultiSourceAttention([])
    with pytest.raises(UserError, match="at least 1 unit, got 0"):
        HierarchicalAttention(mechanisms(), 0)
