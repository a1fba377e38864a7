"""The LSTM against NumPy and against `keras.layers.LSTM`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, LSTMCell
from tests.layers import reference

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3


def weights(random, features=FEATURES, units=UNITS):
    """Distinct for every gate, so that no two gates can be swapped unseen."""
    return [
        random.normal(size=(features, 4 * units)),
        random.normal(size=(units, 4 * units)),
        random.normal(size=4 * units),
    ]


def built(layer, values, features=FEATURES):
    layer.build((None, None, features))
    layer.set_weights(values)
    return layer


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(actual), expected, rtol=tolerance, atol=tolerance
    )


def gradients(layer, x, states=None, mask=None, seed=3):
    """Gradients of a random projection of all outputs, for the weights, inputs and states."""
    x = tf.constant(x)
    states = None if states is None else [tf.constant(state) for state in states]
    with tf.GradientTape() as tape:
        tape.watch([x, *(states or [])])
        outputs = tf.nest.flatten(layer(x, initial_state=states, mask=mask))
        random = np.random.default_rng(seed)
        loss = sum(
            tf.reduce_sum(output * tf.constant(random.normal(size=output.shape), output.dtype))
            for output in outputs
        )
    return tape.gradient(loss, [*(w.value for w in layer.weights), x, *(states or [])])


@pytest.mark.parametrize("backwards", [False, True])
def test_equals_the_oracle(random, backwards):
    values = weights(random)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    h, c = random.normal(size=(2, BATCH, UNITS))
    mask = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], bool)
    layer = LSTM(
        UNITS, return_sequences=True, return_state=True, go_backwards=backwards, dtype="float64"
    )
    outputs, last_h, last_c = built(layer, values)(x, initial_state=[h, c], mask=mask)
    for n in range(BATCH):
        order = list(range(TIME))[:: -1 if backwards else 1]
        steps = [t for t in order if mask[n, t]]
        expected, expected_h, expected_c = reference.lstm(x[n], values, steps, h[n], c[n])
        close(outputs[n].numpy()[mask[n][order]], expected, 1e-12)
        close(last_h[n], expected_h, 1e-12)
        close(last_c[n], expected_c, 1e-12)


def test_gradients_equal_finite_differences(random):
    arrays = [*weights(random, 2, 2), random.normal(size=(2, 3, 2)), random.normal(size=(2, 2))]
    arrays.append(random.normal(size=(2, 2)))
    mask = np.array([[1, 1, 1], [1, 1, 0]], bool)
    layer = built(
        LSTM(2, return_sequences=True, return_state=True, dtype="float64"), arrays[:3], features=2
    )
    analytic = gradients(layer, arrays[3], arrays[4:], mask)

    def loss():
        layer.set_weights(arrays[:3])
        outputs = layer(arrays[3], initial_state=arrays[4:], mask=mask)
        random = np.random.default_rng(3)
        return sum(float(np.sum(o * random.normal(size=o.shape))) for o in outputs)

    for gradient, array in zip(analytic, arrays, strict=True):
        close(gradient, reference.numeric_gradient(loss, array), 1e-7)


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"go_backwards": True}])
def test_takes_the_place_of_keras(random, options):
    theirs = keras.layers.LSTM(UNITS, return_state=True, **options)
    ours = LSTM(UNITS, return_state=True, **options)
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], bool)
    built(theirs, weights(random))
    built(ours, theirs.get_weights())
    assert [w.path.split("/")[1:] for w in ours.weights] == [
        w.path.split("/")[1:] for w in theirs.weights
    ]
    for given in (None, mask):
        for actual, expected in zip(ours(x, mask=given), theirs(x, mask=given), strict=True):
            close(actual, expected)
        for actual, expected in zip(
            gradients(ours, x, mask=given), gradients(theirs, x, mask=given), strict=True
        ):
            close(actual, expected)
    built(theirs, ours.get_weights())


def test_dropout_is_that_of_keras(random):
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    for options in ({"dropout": 0.5}, {"dropout": 0.3, "recurrent_dropout": 0.5}):
        theirs = keras.layers.LSTM(UNITS, seed=11, **options)
        ours = LSTM(UNITS, seed=11, **options)
        expected = built(theirs, weights(random))(x, training=True)
        close(built(ours, theirs.get_weights())(x, training=True), expected)


def test_stateful_carries_its_state(random):
    x = random.normal(size=(BATCH, 2 * TIME, FEATURES)).astype("float32")
    layer = LSTM(UNITS, stateful=True)
    layer(x[:, :TIME])
    whole = built(LSTM(UNITS), layer.get_weights()[:3])(x)
    close(layer(x[:, TIME:]), whole)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_padding_changes_nothing_even_where_it_is_nan(random, length):
    values = weights(random)
    x = random.normal(size=(1, TIME, FEATURES)).astype("float32")
    x[:, length:] = np.nan
    mask = np.arange(TIME)[None] < length
    layer = built(LSTM(UNITS, return_state=True), values)
    padded = layer(x, mask=mask)
    found = gradients(layer, x, mask=mask)
    assert all(np.isfinite(gradient).all() for gradient in found)
    if length == 0:
        assert not any(np.any(state) for state in padded)
        assert not any(np.any(gradient) for gradient in found)
        return
    for actual, expected in zip(padded, layer(x[:, :length]), strict=True):
        close(actual, expected)
    expected = gradients(layer, x[:, :length])
    for actual, wanted in zip(found[:3], expected[:3], strict=True):
        close(actual, wanted)
    close(found[3][:, :length], expected[3])
    assert not np.any(found[3][:, length:])


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision(random, policy):
    x = random.normal(size=(BATCH, TIME, FEATURES))
    full = built(LSTM(UNITS), weights(random))
    # TensorFlow has no orthogonal initialiser in bfloat16.
    half = LSTM(UNITS, recurrent_initializer="glorot_uniform", dtype=policy)
    built(half, full.get_weights())
    outputs = half(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == half.compute_dtype
    close(keras.ops.cast(outputs, "float32"), full(x), 0.05)


@pytest.mark.parametrize("wrap", ["functional", "bidirectional", "stacked"])
def test_saved_models_load_in_a_fresh_process(random, tmp_path, fresh_process, wrap):
    inputs = keras.Input((None, FEATURES))
    if wrap == "functional":
        outputs = LSTM(UNITS, dropout=0.2)(inputs)
    elif wrap == "bidirectional":
        outputs = keras.layers.Bidirectional(LSTM(UNITS))(inputs)
    else:
        outputs = keras.layers.RNN([LSTMCell(UNITS), LSTMCell(2)])(inputs)
    model = keras.Model(inputs, outputs)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    fresh_process(
        "import sys, numpy, keras, rnnpipe.layers\n"
        "model = keras.models.load_model(sys.argv[1] + '/model.keras')\n"
        "y = model.predict(numpy.load(sys.argv[1] + '/x.npy'), verbose=0)\n"
        "numpy.save(sys.argv[1] + '/y.npy', y)\n",
        str(tmp_path),
    )
    close(model.predict(x, verbose=0), np.load(tmp_path / "y.npy"))


def test_cell_equals_the_layer(random):
    values = weights(random)
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    cell = built(keras.layers.RNN(LSTMCell(UNITS)), values)
    close(cell(x), built(LSTM(UNITS), values)(x))


def test_wrong_rank():
    with pytest.raises(ValueError, match=r"layer 'reader'.*expected ndim=3, found ndim=2"):
        LSTM(2, name="reader")(np.zeros((3, 4)))


def test_wrong_feature_size():
    layer = built(LSTM(2, name="reader"), weights(np.random.default_rng(0), 4, 2))
    with pytest.raises(ValueError, match=r"layer 'reader'.*expected axis -1.*value 4.*\(3, 2, 5\)"):
        layer(np.zeros((3, 2, 5)))


def test_wrong_states():
    layer = LSTM(2, name="reader")
    state = np.zeros((3, 2))
    expected = (
        r"LSTM 'reader': expected initial_state of 2 tensors of shapes \[\(3, 2\), \(3, 2\)\]"
    )
    with pytest.raises(UserError, match=expected + r", got 1 of \[\(3, 2\)\]; pass"):
        layer(np.zeros((3, 4, 5)), initial_state=[state])
    with pytest.raises(UserError, match=expected + r", got 2 of \[\(3, 2\), \(3, 7\)\]; pass"):
        layer(np.zeros((3, 4, 5)), initial_state=[state, np.zeros((3, 7))])


def test_wrong_mask():
    expected = (
        r"LSTM 'reader': expected a mask of shape \(batch, time\) = \(3, 4\), got \(3, 9\); "
        "pass one boolean for each step"
    )
    with pytest.raises(UserError, match=expected):
        LSTM(2, name="reader")(np.zeros((3, 4, 5)), mask=np.ones((3, 9), bool))
