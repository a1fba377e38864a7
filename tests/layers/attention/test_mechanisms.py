"""Every mechanism against NumPy, and what holds for all of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.layers.attention.mechanisms import (
    BATCH,
    FEATURES,
    MASK,
    MECHANISMS,
    every_mechanism,
    given,
    looks,
    made,
    samples,
    those,
)
from tests.layers.comparing import all_close, close, projected

HALVES = ["float16", "mixed_bfloat16"]


def gradients(layer, queries, memory, mask=None):
    """Gradients of a share of all outputs for trainable weights, queries and memory."""
    queries, memory = tf.constant(queries), tf.constant(memory)
    with tf.GradientTape() as tape:
        tape.watch([queries, memory])
        loss = projected(looks(layer, queries, memory, mask))
    inputs = [*(weight.value for weight in layer.trainable_weights), queries, memory]
    return tape.gradient(loss, inputs, unconnected_gradients="zero")


@every_mechanism
def test_equals_the_oracle(random, name):
    layer = made(name, random, dtype="float64")
    queries, memory = given(random, name)
    contexts, alignments = looks(layer, queries, memory, MASK)
    weights = [weight.numpy() for weight in layer.trainable_weights]
    for n in range(BATCH):
        expected = MECHANISMS[name].oracle(queries[n], memory[n], MASK[n], *weights)
        close(contexts[n], expected[0], 1e-12)
        close(alignments[n], expected[1], 1e-12)
    assert not np.any(alignments.numpy()[~np.broadcast_to(MASK[:, None, None], alignments.shape)])
    assert contexts.shape[-1] == layer.context_features


@those(lambda mechanism: mechanism.smooth)
def test_gradients_equal_directional_differences(random, name):
    layer = made(name, random, dtype="float64")
    queries, memory = given(random, name, looks=2, positions=3, batch=1)
    mask, step = np.array([[True, True, False]]), 1e-6
    values = [np.array(weight) for weight in layer.trainable_weights]
    arrays = [*values, queries, memory]

    def loss():
        for weight, value in zip(layer.trainable_weights, values, strict=True):
            weight.assign(value)
        return float(projected(looks(layer, queries, memory, mask)))

    for gradient, array in zip(gradients(layer, queries, memory, mask), arrays, strict=True):
        way, here = random.normal(size=array.shape), array.copy()
        array[...] = here + step * way
        above = loss()
        array[...] = here - step * way
        below = loss()
        array[...] = here
        close(np.sum(gradient * way), (above - below) / (2 * step), 1e-6)


@every_mechanism
def test_padding_changes_nothing_even_where_it_is_nan(random, name):
    layer = made(name, random, dtype="float64")
    queries, memory = given(random, name)
    memory[:, 4:] = np.nan
    mask = np.tile(np.arange(6) < 4, (BATCH, 1))
    contexts, alignments = looks(layer, queries, memory, mask)
    expected = looks(layer, queries, memory[:, :4])
    all_close([contexts, alignments[..., :4]], expected, 1e-12)
    assert not np.any(alignments[..., 4:])
    context, _ = layer(queries[:, 0], memory, mask)  # of itself, without keys
    close(context, layer(queries[:, 0], memory[:, :4])[0], 1e-12)
    found = gradients(layer, queries, memory, mask)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not np.any(found[-1][:, 4:])


@every_mechanism
@pytest.mark.parametrize("dtype", ["float32", *HALVES])
def test_an_entirely_masked_memory_has_zero_alignments(random, name, dtype):
    layer = made(name, random, dtype=dtype)
    queries, memory = (array.astype("float32") for array in given(random, name))
    mask = np.zeros(memory.shape[:2], bool)
    contexts, alignments = looks(layer, queries, memory, mask)
    assert not np.any(keras.ops.cast(alignments, "float32"))
    assert np.isfinite(keras.ops.cast(contexts, "float32")).all()
    for gradient in gradients(layer, queries, memory, mask):
        assert np.isfinite(keras.ops.cast(gradient, "float32")).all()


@every_mechanism
@pytest.mark.parametrize("policy", HALVES)
def test_half_precision_is_supported(random, name, policy):
    full, (queries, memory) = made(name, random), given(random, name)
    half = MECHANISMS[name].make(dtype=policy)
    half.build((None, MECHANISMS[name].query), memory.shape)
    for weight, other in zip(full.weights, half.weights, strict=True):
        weight.assign(0.5 * weight)
        other.assign(weight)
    found = looks(half, queries, memory, MASK)
    for actual, expected in zip(found, looks(full, queries, memory, MASK), strict=True):
        assert keras.backend.standardize_dtype(actual.dtype) == half.compute_dtype
        if MECHANISMS[name].exact:
            close(keras.ops.cast(actual, "float32"), expected, 0.1)


@those(lambda mechanism: mechanism.grids)
def test_a_grid_is_read_row_by_row(random, name):
    layer, (queries, memory) = made(name, random), given(random, name)
    grid, mask = memory.reshape(BATCH, 2, 3, FEATURES), MASK.reshape(BATCH, 2, 3)
    contexts, alignments = looks(layer, queries, grid, mask)
    expected = looks(layer, queries, memory, MASK)
    close(contexts, expected[0])
    assert alignments.shape[-2:] == (2, 3)
    close(keras.ops.reshape(alignments, expected[1].shape), expected[1])


@every_mechanism
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_the_state_keeps_its_shape(random, name, dtype):
    layer, (queries, memory) = made(name, random, dtype=dtype), given(random, name)
    state = layer.first_state(memory, MASK)
    _, alignments = layer(queries[:, 0], memory, MASK, state=state)
    after = layer.next_state(state, alignments)
    keras.tree.assert_same_structure(state, after)
    pairs = zip(keras.tree.flatten(state), keras.tree.flatten(after), strict=True)
    assert all(a.shape == b.shape and a.dtype == b.dtype for a, b in pairs)


@every_mechanism
def test_a_single_call_needs_neither_keys_nor_state(random, name):
    layer, (queries, memory) = made(name, random), given(random, name, looks=1)
    context, alignments = layer(queries[:, 0], memory, mask=MASK)
    all_close(
        [context, samples(alignments)], [x[:, 0] for x in looks(layer, queries, memory, MASK)]
    )


@every_mechanism
def test_config_makes_the_same_layer(name):
    layer = MECHANISMS[name].make(name="look", dtype="float64")
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
