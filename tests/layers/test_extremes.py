"""Weights and memories of any size: what a layer divides by is never 0."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    AdditiveAttention,
    CoverageAttention,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LayerNormVanillaRNNCell,
    MonotonicAttention,
)
from tests.layers.attention.mechanisms import MASK, every_mechanism, given, looks, made
from tests.layers.cases import call_case, every_layer, training_option

SIZES = [0.0, 1e-20, 300.0, -300.0]


def outputs_and_gradients(call, layer, inputs):
    """All numbers that a call gives, and the gradients for weights and inputs that it has."""
    inputs = keras.tree.map_structure(tf.constant, inputs)
    floats = [tensor for tensor in tf.nest.flatten(inputs) if tensor.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = [x for x in tf.nest.flatten(call(*inputs)) if x.dtype.is_floating]
        loss = sum(tf.reduce_sum(output**2) for output in outputs)
    weights = [weight.value for weight in layer.trainable_weights]
    found = tape.gradient(loss, [*weights, *floats]) if outputs else []
    return [*outputs, *(gradient for gradient in found if gradient is not None)]


def all_finite(tensors):
    return all(np.isfinite(keras.ops.convert_to_numpy(tensor)).all() for tensor in tensors)


@every_layer
@pytest.mark.parametrize("size", SIZES)
def test_outputs_and_gradients_are_finite_whatever_the_size_of_the_weights(name, size):
    layer, inputs, _ = call_case(name)
    for weight in layer.trainable_weights:
        weight.assign(size * keras.ops.sign(weight + 1e-3))

    def call(*inputs):
        return layer(*inputs, **training_option(layer, False))

    assert all_finite(outputs_and_gradients(call, layer, inputs))


@every_mechanism
@pytest.mark.parametrize("size", SIZES)
def test_steps_are_finite_whatever_the_size_of_weights_and_memory(random, name, size):
    layer, (queries, memory) = made(name, random), given(random, name)
    for weight in layer.trainable_weights:
        weight.assign(size * weight)
    arrays = [queries.astype("float32"), 100 * memory.astype("float32")]
    for mask in (None, MASK):
        found = outputs_and_gradients(
            lambda q, m, mask=mask: looks(layer, q, m, mask), layer, arrays
        )
        assert all_finite(found)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "mixed_float16"])
@pytest.mark.parametrize("logit", [-1e4, -200.0, -20.0, 0.0, 200.0])
def test_a_fertility_is_never_zero(dtype, logit):
    layer = CoverageAttention(4, dtype=dtype)
    memory = keras.ops.cast(np.ones((2, 5, 3)), layer.compute_dtype)
    layer.build((None, 3), memory.shape)
    layer.fertility_kernel.assign(np.full((3, 1), logit / 3))
    _, reciprocal = layer.project_memory(memory)
    expected = min(1 + np.exp(-min(logit, 700)) if logit > -700 else np.inf, 1000) / 2
    actual = np.asarray(keras.ops.cast(reciprocal, "float64"))
    np.testing.assert_allclose(actual, expected, rtol=0.05)
    queries = keras.ops.ones((2, 3, 3), layer.compute_dtype)
    found = outputs_and_gradients(lambda q, m: looks(layer, q, m), layer, [queries, memory])
    assert all_finite(keras.ops.cast(each, "float32") for each in found)


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_float16"])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3])
def test_normalised_scores_do_not_depend_on_the_size_of_their_kernel(dtype, size):
    layer = AdditiveAttention(4, 2, normalize=True, dtype=dtype)
    query, memory = np.ones((2, 3), "float32"), np.eye(3, dtype="float32")[None].repeat(2, 0)
    expected = layer(query, memory)[1]
    layer.score_kernel.assign(size * layer.score_kernel)
    actual = layer(query, memory)[1]
    if size >= 1:
        np.testing.assert_allclose(actual, expected, rtol=1e-2, atol=1e-3)
    assert all_finite(outputs_and_gradients(layer, layer, [query, memory]))


@pytest.mark.parametrize("cell", [LayerNormLSTMCell, LayerNormGRUCell, LayerNormVanillaRNNCell])
@pytest.mark.parametrize("epsilon", [0, -1e-5, 1e-46, float("nan"), float("inf"), "a"])
def test_a_normalisation_needs_an_epsilon(cell, epsilon):
    with pytest.raises(UserError, match="expected an epsilon of at least 1e-12, got"):
        cell(4, epsilon=epsilon)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_options_are_finite(number):
    for make in (
        lambda: CoverageAttention(4, max_fertility=number),
        lambda: MonotonicAttention(AdditiveAttention(4), noise=number),
    ):
        with pytest.raises(UserError, match=r"expected (a max_fertility above|noise of at least)"):
            make()
