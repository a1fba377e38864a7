"""What holds for every recurrent layer: it takes the place of Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    GRU,
    LSTM,
    GRUCell,
    LSTMCell,
    VanillaRNN,
    VanillaRNNCell,
)
from rnnpipe.layers.kernels import find_recurrent_kernel
from rnnpipe.layers.recurrent import base
from tests.layers.comparing import all_close, built, close, filled, gradients

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3
MASKS = {
    "none": None,
    "right": np.arange(TIME) < np.array([[5], [3], [0]]),
    "left": np.arange(TIME) >= np.array([[0], [3], [5]]),
    "holes": np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 0]], bool),
}
PAIRS = [
    (LSTM, keras.layers.LSTM),
    (GRU, keras.layers.GRU),
    (VanillaRNN, keras.layers.SimpleRNN),
]
every_layer = pytest.mark.parametrize(("ours", "theirs"), PAIRS)


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def twins(ours, theirs, random, **options):
    original = filled(theirs(UNITS, **options), random, FEATURES)
    return built(ours(UNITS, **options), original.get_weights(), FEATURES), original


@every_layer
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "return_state": True, "zero_output_for_mask": True},
        {"return_state": True, "zero_output_for_mask": True},
        {"use_bias": False, "return_state": True},
    ],
    ids=" ".join,
)
def test_equals_keras(random, ours, theirs, options, mask):
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    layer, original = twins(ours, theirs, random, **options)
    states = [random.normal(size=(BATCH, UNITS)) for _ in layer.state_size]
    for given in (None, states):
        call = {"mask": MASKS[mask], "initial_state": given}
        all_close(keras.tree.flatten(layer(x, **call)), keras.tree.flatten(original(x, **call)))
    call = {"mask": MASKS[mask], "initial_state": states}
    expected = gradients(original, x, **call)
    for training in (False, True):
        all_close(gradients(layer, x, training=training, **call), expected)


@every_layer
def test_weights_have_the_names_of_keras(random, ours, theirs):
    layer, original = twins(ours, theirs, random)
    assert [w.name for w in layer.weights] == [w.name for w in original.weights]
    original.set_weights(layer.get_weights())


@every_layer
def test_a_graph_has_static_output_sizes_whatever_ran_before(random, ours, theirs):
    layers = [ours(units, return_sequences=True) for units in (3, 5, 7, 9)]
    for layer in layers:
        layer(random.normal(size=(2, 4, layer.units + 1)), training=True)
    for layer in layers:
        call = tf.function(lambda x, layer=layer: layer(x, training=True))
        shape = tf.TensorSpec((None, None, layer.units + 1))
        assert call.get_concrete_function(shape).output_shapes == (None, None, layer.units)


@every_layer
def test_the_kernel_is_used_where_it_is_supported(monkeypatch, random, x, ours, theirs):
    taken = []

    def find(name, units):
        taken.append(name)
        return find_recurrent_kernel(name, units)

    monkeypatch.setattr(base, "find_recurrent_kernel", find)
    filled(ours(UNITS, dropout=0.1), random, FEATURES)(x)
    assert taken == [ours.recurrence]
    for options in ({"recurrent_dropout": 0.1}, {"unroll": True}, {"activation": "relu"}):
        filled(ours(UNITS, **options), random, FEATURES)(x)
    assert taken == [ours.recurrence]


@every_layer
@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"unroll": True},
        {"dropout": 0.5, "seed": 11},
        {"dropout": 0.3, "recurrent_dropout": 0.5, "seed": 11},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_options_are_those_of_keras(random, x, ours, theirs, options):
    layer, original = twins(ours, theirs, random, **options)
    close(layer(x, training=True), original(x, training=True))


@every_layer
def test_a_graph_takes_any_length_and_batch(random, ours, theirs):
    layer, original = twins(ours, theirs, random, return_sequences=True)
    inputs = keras.Input((None, FEATURES))
    model, peer = (keras.Model(inputs, each(inputs)) for each in (layer, original))
    for batch, time in ((1, 1), (BATCH, TIME), (2, 13)):
        x = random.normal(size=(batch, time, FEATURES))
        close(model.predict(x, verbose=0), peer.predict(x, verbose=0))
        close(model(x), peer(x))


@every_layer
def test_trains_as_keras_does(random, x, ours, theirs):
    y = random.normal(size=(BATCH, 2 * UNITS))
    weights = []
    for layer in twins(ours, theirs, random):
        model = keras.Sequential([keras.Input((None, FEATURES)), keras.layers.Bidirectional(layer)])
        start = np.random.default_rng(5)
        model.set_weights([start.normal(size=w.shape) for w in model.weights])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    all_close(*weights)


@every_layer
def test_stateful_carries_its_state(random, x, ours, theirs):
    del theirs
    layer = ours(UNITS, stateful=True)
    layer(x[:, :2])
    whole = built(ours(UNITS), layer.get_weights()[:3], FEATURES)(x)
    close(layer(x[:, 2:]), whole)
    layer.reset_state()
    close(layer(x), whole)


@every_layer
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_padding_changes_nothing_even_where_it_is_nan(random, x, ours, theirs, length, training):
    del theirs
    x[:, length:] = np.nan
    mask = np.tile(np.arange(TIME) < length, (BATCH, 1))
    layer = filled(ours(UNITS, return_state=True), random, FEATURES)
    padded = layer(x, mask=mask, training=training)
    found = gradients(layer, x, mask=mask, training=training)
    if length == 0:
        assert not any(np.any(array) for array in (*padded, *found))
        return
    all_close(padded, layer(x[:, :length]))
    *of_weights, of_x = gradients(layer, x[:, :length])
    all_close(found[:-1], of_weights)
    close(found[-1][:, :length], of_x)
    assert not np.any(found[-1][:, length:])


@every_layer
def test_sequences_of_no_step_give_nothing_and_keep_the_states(random, x, ours, theirs):
    del theirs
    layer = filled(ours(UNITS, return_sequences=True, return_state=True), random, FEATURES)
    first = [random.normal(size=(BATCH, UNITS)) for _ in layer.state_size]
    outputs, *states = layer(x[:, :0], initial_state=first)
    assert outputs.shape == (BATCH, 0, UNITS)
    all_close(states, first)
    assert not np.any(built(ours(UNITS), layer.get_weights(), FEATURES)(x[:, :0]))


@every_layer
@pytest.mark.parametrize("policy", ["float16", "mixed_bfloat16"])
def test_half_precision_is_supported(random, x, ours, theirs, policy):
    del theirs
    full = filled(ours(UNITS), random, FEATURES)
    # TensorFlow has no orthogonal initialiser in bfloat16.
    half = ours(UNITS, recurrent_initializer="glorot_uniform", dtype=policy)
    outputs = built(half, full.get_weights(), FEATURES)(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == half.compute_dtype
    close(keras.ops.cast(outputs, "float32"), full(x), 0.1)


@pytest.mark.parametrize(
    ("layer", "cell"), [(LSTM, LSTMCell), (GRU, GRUCell), (VanillaRNN, VanillaRNNCell)]
)
def test_cell_equals_the_layer(random, x, layer, cell):
    stepped = filled(keras.layers.RNN(cell(UNITS)), random, FEATURES)
    close(stepped(x), built(layer(UNITS), stepped.get_weights(), FEATURES)(x))


def test_saved_models_load_in_another_process(random, x, predict_elsewhere):
    inputs = keras.Input((None, FEATURES))
    outputs = []
    for layer in (LSTM, GRU, VanillaRNN):
        outputs.append(layer(UNITS, dropout=0.2)(inputs))
        outputs.append(keras.layers.Bidirectional(layer(UNITS))(inputs))
    cells = [LSTMCell(UNITS), GRUCell(2), VanillaRNNCell(4)]
    outputs.append(keras.layers.RNN(cells)(inputs))
    model = keras.Model(inputs, keras.layers.Concatenate()(outputs))
    (found,) = predict_elsewhere(model, [x])
    close(model(x), found)


def test_gradients_of_gradients_are_for_inference(random, x):
    def penalty_gradients(layer, training):
        inputs = tf.constant(x)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                loss = tf.reduce_sum(layer(inputs, training=training) ** 2)
            penalty = tf.reduce_sum(inner.gradient(loss, inputs) ** 2)
        return outer.gradient(penalty, [w.value for w in layer.trainable_weights])

    layer, original = twins(LSTM, keras.layers.LSTM, random)
    all_close(penalty_gradients(layer, False), penalty_gradients(original, False))
    with pytest.raises(UserError, match=r"expected gradients of the first order.*training=False"):
        penalty_gradients(layer, True)
