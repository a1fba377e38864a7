"""Additive attention against NumPy."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, AdditiveAttention
from tests.layers import reference
from tests.layers.comparing import close

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


def test_dropout_only_in_training(random):
    layer = built(AdditiveAttention(UNITS, dropout=0.5, seed=1), weights(random, glimpses=1))
    query, memory = random.normal(size=(1, QUERY)), random.normal(size=(1, POSITIONS, FEATURES))
    still = layer(query, memory)[1]
    close(layer(query, memory, training=False)[1], still)
    assert np.abs(layer(query, memory, training=True)[1] - still).max() > 1e-3


def test_the_mask_of_an_embedding_is_used(random):
    ids = np.array([[4, 2, 3, 0, 0]])
    words = keras.layers.Embedding(5, FEATURES, mask_zero=True)(ids)
    memory = LSTM(FEATURES, return_sequences=True)(words)
    _, alignments = AdditiveAttention(UNITS)(random.normal(size=(1, QUERY)), memory)
    assert np.all(alignments.numpy()[0, 0, :3] > 0)
    assert not np.any(alignments[0, 0, 3:])


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
def test_wrong_shapes_are_refused(query, memory, mask, message):
    given = None if mask is None else np.ones(mask, bool)
    with pytest.raises(UserError, match=r"AdditiveAttention 'look': " + message):
        AdditiveAttention(2, name="look")(np.zeros(query), np.zeros(memory), mask=given)


def test_wrong_feature_sizes_are_refused(random):
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
    with pytest.raises(UserError, match=r"'look': expected a memory \(batch, source_time, feat"):
        layer(query, None)
    with pytest.raises(UserError, match=r"'look': expected keys of 5 positions, got \(1, 3, 7\)"):
        layer(query, memory, keys=np.zeros((1, 3, UNITS)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "at least 1 unit, got 0"), ((2, 0), "at least 1 glimpse, got 0")],
)
def test_wrong_sizes_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        AdditiveAttention(*arguments)
