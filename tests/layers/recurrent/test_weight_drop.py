"""Recurrent weights that are dropped in training, against layers that have the rest of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import GRU, LSTM, RecurrentStack, VanillaRNN

LAYERS = {"lstm": LSTM, "gru": GRU, "vanilla": VanillaRNN}
UNITS, RATE = 6, 0.4
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]], bool)
# What runs: the kernel, Keras' loop, and Keras' unrolled loop.
LOOPS = {"kernel": {}, "loop": {"activation": "relu"}, "unrolled": {"unroll": True}}


def make(kind, **options):
    options = {"return_sequences": True, "return_state": True, **options}
    layer = LAYERS[kind](UNITS, seed=4, **options)
    layer.build((None, 5, 3))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def gradients(layer, x):
    with tf.GradientTape() as tape:
        outputs = layer(x, mask=MASK, training=True)
        loss = sum(tf.reduce_sum(output**2) for output in outputs)
    weights = [weight.value for weight in layer.trainable_weights]
    return outputs, tape.gradient(loss, weights)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", LAYERS)
def test_outputs_and_gradients_are_those_of_the_weights_that_are_left(kind, loop):
    x = np.random.default_rng(2).normal(size=(3, 5, 3)).astype("float32")
    layer = make(kind, weight_drop=RATE, **LOOPS[loop])
    kernel = layer.cell.recurrent_kernel
    names = [weight.name for weight in layer.weights]
    found, slopes = gradients(layer, x)
    assert layer.cell.recurrent_kernel is kernel
    assert [weight.name for weight in layer.weights] == names

    # The first that a generator of this seed draws.
    ones = np.ones(kernel.shape, "float32")
    left = np.asarray(keras.random.dropout(ones, RATE, seed=keras.random.SeedGenerator(4)))
    assert {round(float(value), 4) for value in left.flat} == {0, round(1 / (1 - RATE), 4)}
    plain = make(kind, **LOOPS[loop])
    plain.cell.recurrent_kernel.assign(kernel * left)
    expected, plain_slopes = gradients(plain, x)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for weight, ours, theirs in zip(layer.trainable_weights, slopes, plain_slopes, strict=True):
        share = left if weight is kernel else 1.0
        np.testing.assert_allclose(ours, theirs * share, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", LAYERS)
def test_all_weights_are_there_outside_of_training(kind):
    x = np.random.default_rng(2).normal(size=(3, 5, 3)).astype("float32")
    layer, plain = make(kind, weight_drop=RATE), make(kind)
    np.testing.assert_array_equal(layer(x)[0], plain(x)[0])
    first, second = (np.asarray(layer(x, training=True)[0]) for _ in range(2))
    assert np.abs(first - second)[:, 1:].max() > 1e-3, "drawn anew for each batch"
    np.testing.assert_allclose(first[:, 0], second[:, 0], atol=1e-6)  # the first state is zero


def test_every_layer_of_a_stack_drops_weights_of_its_own():
    keras.utils.set_random_seed(1)
    stack = RecurrentStack(LSTM(3, return_sequences=True, weight_drop=0.5), 2, bidirectional=True)
    x = np.random.default_rng(2).normal(size=(2, 5, 3)).astype("float32")
    still, dropped = stack(x), stack(x, training=True)
    assert np.abs(np.asarray(still - dropped))[:, 1:-1].max() > 1e-3
    layers = [
        each for level in stack.layers for each in (level.forward_layer, level.backward_layer)
    ]
    assert [layer.weight_drop for layer in layers] == [0.5] * 4
    again = RecurrentStack.from_config(stack.get_config())
    assert again.layers[1].backward_layer.weight_drop == 0.5


def test_a_compiled_step_draws_anew_in_every_call():
    layer = make("lstm", weight_drop=RATE)
    step = tf.function(lambda x: layer(x, training=True)[0])
    x = tf.constant(np.random.default_rng(2).normal(size=(3, 5, 3)), "float32")
    first, second = step(x).numpy(), step(x).numpy()
    assert np.abs(first - second).max() > 1e-3
