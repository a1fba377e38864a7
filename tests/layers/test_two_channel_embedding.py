"""Embeddings in two channels."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import TwoChannelEmbedding

TOKENS = np.array([[3, 1, 0], [2, 2, 2]])


def test_both_vectors_of_each_token_side_by_side():
    layer = TwoChannelEmbedding(5, 3)
    table = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    layer.assign(table)
    layer.tuned.embeddings.assign(table * 2)
    expected = np.concatenate([2 * table[TOKENS], table[TOKENS]], axis=-1)
    np.testing.assert_array_equal(np.asarray(layer(TOKENS)), expected)


def test_both_begin_alike_and_training_changes_one_of_them():
    tokens = keras.Input((None,), dtype="int32")
    layer = TwoChannelEmbedding(5, 3)
    model = keras.Model(tokens, keras.layers.GlobalAveragePooling1D()(layer(tokens)))
    before = np.array(layer.frozen.embeddings)
    np.testing.assert_array_equal(np.array(layer.tuned.embeddings), before)
    model.compile("sgd", "mse")
    model.fit(TOKENS, np.ones((2, 6)), verbose=0)
    np.testing.assert_array_equal(np.array(layer.frozen.embeddings), before)
    changed = np.any(np.array(layer.tuned.embeddings) != before, axis=1)
    assert changed.tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("mask_zero", [True, False])
def test_padding_is_masked(mask_zero):
    mask = TwoChannelEmbedding(5, 3, mask_zero=mask_zero).compute_mask(TOKENS)
    assert (mask is not None) == mask_zero
    if mask_zero:
        assert np.asarray(mask).tolist() == [[True, True, False], [True, True, True]]


def test_a_saved_model_has_the_same_vectors(tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    model = keras.Model(tokens, TwoChannelEmbedding(5, 3)(tokens))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(TOKENS), model(TOKENS))
    assert len(loaded.trainable_weights) == 1


@pytest.mark.parametrize("sizes", [(0, 3), (5, 0), (5, 2.5)])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(UserError, match="of at least 1"):
        TwoChannelEmbedding(*sizes)
