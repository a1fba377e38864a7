"""Under mixed policies every layer computes nearly what it computes in float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.layers.kernels import find_decoder_kernel, find_recurrent_kernel
from tests.layers.cases import KERNELS, LAYERS, every_kernel, every_layer, training_option
from tests.layers.comparing import projected

TOLERANCES = {"mixed_bfloat16": 0.04, "mixed_float16": 0.006}
DISCRETE = {"HardAttention", "MovingAverage", "WordDropout"}  # draws and counts, not numbers near

MASKED = {
    "MeanPooling",
    "MaxPooling",
    "ConcatPooling",
    "AttentionPooling",
    "AdditiveAttention",
    "CoverageAttention",
    "DotAttention",
    "GeneralAttention",
    "LocationAttention",
    "MultiHeadAttention",
    "LocalAttention",
    "MonotonicAttention",
    "GlimpseReader",
}

every_policy = pytest.mark.parametrize("policy", TOLERANCES)


def make_pair(name, policy):
    """The layer in float32 and under the policy, of the same weights, and their inputs."""
    case, inputs = LAYERS[name], LAYERS[name].inputs(7, 11)
    full, half = case.make(), case.make(dtype=policy)
    for layer in (full, half):
        layer(*inputs, **options_of(name, layer, False))
    random = np.random.default_rng(5)
    weights = [
        weight if weight.dtype.kind != "f" else random.normal(scale=0.5, size=weight.shape)
        for weight in full.get_weights()
    ]
    for layer in (full, half):
        layer.set_weights(weights)
    return full, half, inputs


def options_of(name, layer, training):
    """The options of a call: a mask with holes and a row of padding, where it takes one."""
    options = training_option(layer, training)
    mask = np.random.default_rng(1).random((7, 11)) < 0.7
    mask[0] = False
    takes = isinstance(layer, keras.layers.RNN) or name in {*KERNELS, *MASKED}
    return {**options, "mask": mask} if takes else options


@every_layer
@every_policy
def test_outputs_are_near_those_of_full_precision(name, policy):
    full, half, inputs = make_pair(name, policy)
    pairs = zip(
        keras.tree.flatten(half(*inputs, **options_of(name, half, False))),
        keras.tree.flatten(full(*inputs, **options_of(name, full, False))),
        strict=True,
    )
    for outputs in pairs:
        actual, expected = (np.array(ops.cast(value, "float32")) for value in outputs)
        assert np.all(np.isfinite(actual))
        if name not in DISCRETE:
            scale = max(1.0, np.abs(expected).max(initial=0.0))
            np.testing.assert_allclose(actual, expected, atol=TOLERANCES[policy] * scale)


@every_layer
def test_gradients_are_finite_and_of_the_weights_dtype(name):
    _, layer, inputs = make_pair(name, "mixed_float16")
    with tf.GradientTape() as tape:
        outputs = layer(*inputs, **options_of(name, layer, True))
        floats = [ops.cast(each, "float32") for each in keras.tree.flatten(outputs)]
        loss = projected(floats)
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_variables])
    for gradient in gradients:
        if gradient is not None:
            assert gradient.dtype == tf.float32
            assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))


@every_kernel
@every_policy
def test_mixed_policies_keep_the_kernels(name, policy, monkeypatch):
    found: list[object] = []

    def note(kernel):
        found.append(kernel)
        return kernel

    for module, function in (
        ("rnnpipe.layers.recurrent.base.find_recurrent_kernel", find_recurrent_kernel),
        ("rnnpipe.layers.decoder.fused.find_decoder_kernel", find_decoder_kernel),
    ):
        monkeypatch.setattr(module, lambda *args, function=function: note(function(*args)))
    _, layer, inputs = make_pair(name, policy)
    found.clear()
    layer(*inputs, **options_of(name, layer, True))
    assert len(found) == 1
    assert found[0] is not None


@every_kernel
def test_gradients_of_kernels_are_near_those_of_full_precision(name):
    results = []
    for layer in make_pair(name, "mixed_bfloat16")[:2]:
        inputs = LAYERS[name].inputs(7, 11)
        with tf.GradientTape() as tape:
            outputs = layer(*inputs, **options_of(name, layer, True))
            loss = projected([ops.cast(each, "float32") for each in keras.tree.flatten(outputs)])
        weights = [weight.value for weight in layer.trainable_variables]
        results.append([tf.convert_to_tensor(each) for each in tape.gradient(loss, weights)])
    for full, half in zip(*results, strict=True):
        error = np.linalg.norm(np.subtract(half, full)) / (np.linalg.norm(full) + 1e-6)
        assert error < 0.05
