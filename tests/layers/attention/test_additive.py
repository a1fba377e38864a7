"""Additive attention against NumPy."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, AdditiveAttention
from tests.layers import reference
from tests.layers.comparing import close, gradients, projected

BATCH, POSITIONS, FEATURES, QUERY, UNITS, GLIMPSES = 3, 5, 4, 6, 7, 2


def relu(x):
    return np.maximum(x, 0.0)


def weights(random, query=QUERY, features=FEATURES, units=UNITS, glimpses=GLIMPSES):
    return [
        random.normal(size=(query, units)),
        random.normal(size=(features, units)),
        random.normal(size=units),
        random.normal(size=(units, glimpses)),
    ]


def built(layer, values):
    layer.build((None, values[0].shape[0]), (None, None, values[1].shape[0]))
    layer.set_weights(values)
    return layer


@pytest.mark.parametrize(("name", "activation"), [("tanh", np.tanh), ("relu", relu)])
def test_equals_the_oracle(random, name, activation):
    values = weights(random)
    query = random.normal(size=(BATCH, QUERY))
    memory = random.normal(size=(BATCH, POSITIONS, FEATURES))
    mask = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 1, 0, 0]], bool)
    layer = built(AdditiveAttention(UNITS, GLIMPSES, activation=name, dtype="float64"), values)
    context, alignments = layer(query, memory, mask=mask)
    assert alignments.shape == (BATCH, GLIMPSES, POSITIONS)
    for n in range(BATCH):
        expected = reference.additive_attention(
            query[n], list(memory[n][mask[n]]), values, activation
        )
        close(context[n], expected[0], 1e-12)
        close(alignments[n].numpy()[:, mask[n]], expected[1], 1e-12)
        assert not np.any(alignments[n].numpy()[:, ~mask[n]])


def test_a_grid_is_read_row_by_row(random):
    query = random.normal(size=(BATCH, QUERY))
    grid = random.normal(size=(BATCH, 2, 3, FEATURES))
    mask = random.random((BATCH, 2, 3)) < 0.7
    layer = built(AdditiveAttention(UNITS, GLIMPSES), weights(random))
    context, alignments = layer(query, grid, mask=mask)
    flat = layer(query, grid.reshape(BATCH, 6, FEATURES), mask=mask.reshape(BATCH, 6))
    assert alignments.shape == (BATCH, GLIMPSES, 2, 3)
    close(context, flat[0])
    close(keras.ops.reshape(alignments, (BATCH, GLIMPSES, 6)), flat[1])


def test_gradients_equal_finite_differences(random):
    arrays = [
        *weights(random, query=2, features=2, units=3),
        random.normal(size=(2, 2)),
        random.normal(size=(2, 3, 2)),
    ]
    mask = np.array([[1, 1, 1], [1, 0, 1]], bool)
    layer = built(AdditiveAttention(3, GLIMPSES, dtype="float64"), arrays[:4])
    analytic = gradients(layer, arrays[4], arrays[5], mask=mask)

    def loss():
        layer.set_weights(arrays[:4])
        return float(projected(layer(arrays[4], arrays[5], mask=mask)))

    for gradient, array in zip(analytic, arrays, strict=True):
        close(gradient, reference.numeric_gradient(loss, array), 1e-7)


def test_padding_changes_nothing_even_where_it_is_nan(random):
    query = random.normal(size=(1, QUERY)).astype("float32")
    memory = random.normal(size=(1, POSITIONS, FEATURES)).astype("float32")
    memory[:, 3:] = np.nan
    mask = np.arange(POSITIONS)[None] < 3
    layer = built(AdditiveAttention(UNITS, GLIMPSES), weights(random))
    context, alignments = layer(query, memory, mask=mask)
    expected = layer(query, memory[:, :3])
    close(context, expected[0])
    close(alignments[:, :, :3], expected[1])
    assert not np.any(alignments[:, :, 3:])
    found = gradients(layer, query, memory, mask=mask)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not np.any(found[-1][:, 3:])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "mixed_bfloat16"])
def test_nothing_readable_gives_zero(random, dtype):
    layer = built(AdditiveAttention(UNITS, GLIMPSES, dtype=dtype), weights(random))
    query = random.normal(size=(1, QUERY)).astype("float32")
    memory = random.normal(size=(1, POSITIONS, FEATURES)).astype("float32")
    mask = np.zeros((1, POSITIONS), bool)
    context, alignments = layer(query, memory, mask=mask)
    assert not np.any(keras.ops.cast(context, "float32"))
    assert not np.any(keras.ops.cast(alignments, "float32"))
    for gradient in gradients(layer, query, memory, mask=mask):
        assert np.isfinite(keras.ops.cast(gradient, "float32")).all()


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision(random, policy):
    query = random.normal(size=(BATCH, QUERY))
    memory = random.normal(size=(BATCH, POSITIONS, FEATURES))
    mask = random.random((BATCH, POSITIONS)) < 0.8
    full = built(AdditiveAttention(UNITS, GLIMPSES), weights(random))
    half = built(AdditiveAttention(UNITS, GLIMPSES, dtype=policy), full.get_weights())
    for actual, expected in zip(
        half(query, memory, mask=mask), full(query, memory, mask=mask), strict=True
    ):
        assert keras.backend.standardize_dtype(actual.dtype) == half.compute_dtype
        close(keras.ops.cast(actual, "float32"), expected, 0.1)
    assert keras.backend.standardize_dtype(half.project(memory).dtype) == half.compute_dtype


def test_keys_at_hand_give_the_same(random):
    query = random.normal(size=(BATCH, QUERY))
    memory = random.normal(size=(BATCH, 2, 3, FEATURES))
    mask = random.random((BATCH, 2, 3)) < 0.7
    layer = built(AdditiveAttention(UNITS), weights(random, glimpses=1))
    keys = layer.project(memory, mask)
    for actual, expected in zip(
        layer(query, memory, mask=mask, keys=keys), layer(query, memory, mask=mask), strict=True
    ):
        close(actual, expected)


def test_dropout_only_in_training(random):
    layer = built(AdditiveAttention(UNITS, dropout=0.5, seed=1), weights(random, glimpses=1))
    query, memory = random.normal(size=(1, QUERY)), random.normal(size=(1, POSITIONS, FEATURES))
    still = layer(query, memory)[1]
    close(layer(query, memory, training=False)[1], still)
    assert np.abs(layer(query, memory, training=True)[1] - still).max() > 1e-3


def test_the_mask_of_an_embedding_is_taken(random):
    ids = np.array([[4, 2, 3, 0, 0]])
    words = keras.layers.Embedding(5, FEATURES, mask_zero=True)(ids)
    memory = LSTM(FEATURES, return_sequences=True)(words)
    _, alignments = AdditiveAttention(UNITS)(random.normal(size=(1, QUERY)), memory)
    assert np.all(alignments.numpy()[0, 0, :3] > 0)
    assert not np.any(alignments[0, 0, 3:])


def test_saved_models_load_in_a_fresh_process(random, tmp_path, fresh_process):
    query = keras.Input((QUERY,))
    grid = keras.Input((None, None, FEATURES))
    mask = keras.Input((None, None), dtype="bool")
    attention = AdditiveAttention(
        UNITS, GLIMPSES, activation="relu", dropout=0.1, kernel_regularizer="l2", seed=3
    )
    model = keras.Model([query, grid, mask], attention(query, grid, mask=mask))
    values = [
        random.normal(size=(BATCH, QUERY)),
        random.normal(size=(BATCH, 2, 3, FEATURES)),
        random.random((BATCH, 2, 3)) < 0.7,
    ]
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "in.npz", *values)
    fresh_process(
        "import sys, numpy, keras, rnnpipe.layers\n"
        "model = keras.models.load_model(sys.argv[1] + '/model.keras')\n"
        "given = numpy.load(sys.argv[1] + '/in.npz')\n"
        "numpy.savez(sys.argv[1] + '/out.npz', *model([given[k] for k in given.files]))\n",
        str(tmp_path),
    )
    found = np.load(tmp_path / "out.npz")
    for actual, expected in zip(found.values(), model(values), strict=True):
        close(actual, expected)


def test_config_makes_the_same_layer():
    layer = AdditiveAttention(3, 2, activation="relu", use_bias=False, dropout=0.1, seed=4)
    assert AdditiveAttention.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("query", "memory", "mask", "message"),
    [
        (
            (3, 2, 6),
            (3, 5, 4),
            None,
            r"expected a query \(batch, query_features\), got \(3, 2, 6\)",
        ),
        ((3, 6), (3, 4), None, r"expected a memory \(batch, source_time, .*, got \(3, 4\)"),
        ((3, 6), (3, 5, 4), (3, 4), r"expected a mask over the memory's positions \(3, 5\), got"),
        ((3, 6), (3, 2, 2, 4), (3, 4), r"expected .* \(3, 2, 2\), got \(3, 4\); pass one"),
    ],
)
def test_wrong_shapes(query, memory, mask, message):
    given = None if mask is None else np.ones(mask, bool)
    with pytest.raises(UserError, match=r"AdditiveAttention 'look': " + message):
        AdditiveAttention(2, name="look")(np.zeros(query), np.zeros(memory), mask=given)


def test_wrong_feature_sizes(random):
    layer = built(AdditiveAttention(UNITS, GLIMPSES, name="look"), weights(random))
    query, memory = np.zeros((1, QUERY)), np.zeros((1, POSITIONS, FEATURES))
    with pytest.raises(
        UserError, match=r"'look': expected a query of shape \(batch, 6\), got \(1, 9"
    ):
        layer(np.zeros((1, 9)), memory)
    with pytest.raises(
        UserError, match=r"'look': expected a memory .* with 4 features, got \(1, 5"
    ):
        layer(query, np.zeros((1, POSITIONS, 9)))
    with pytest.raises(UserError, match=r"'look': expected keys of 5 positions, got \(1, 3, 7\)"):
        layer(query, memory, keys=np.zeros((1, 3, UNITS)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "at least 1 unit, got 0"), ((2, 0), "at least 1 glimpse, got 0")],
)
def test_wrong_sizes(arguments, message):
    with pytest.raises(UserError, match=message):
        AdditiveAttention(*arguments)
