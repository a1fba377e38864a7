"""Embeddings."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.text.word_vectors import WordVectors
from tests.parts.common import check_round_trip


@pytest.mark.parametrize(("scale", "expected"), [(None, 1 / 8), (2.0, 2.0)])
def test_vectors_start_at_their_scale(scale, expected):
    layer = EmbeddingOptions(size=64, scale=scale).make(500)
    layer.build((None, None))
    assert np.asarray(layer.embeddings).std() == pytest.approx(expected, rel=0.05)


def test_padding_is_masked():
    layer = EmbeddingOptions(size=4).make(9)
    mask = layer.compute_mask(np.array([[4, 5, 0]]))
    assert np.asarray(mask).tolist() == [[True, True, False]]


def test_settings_survive_yaml_and_pickling():
    check_round_trip(EmbeddingOptions, EmbeddingOptions(scale=0.1, word_dropout=0.2))


VECTORS = WordVectors(
    np.array([4, 6]), np.array([[3.0, 1.0], [1.0, -1.0]], "float32"), tokens=8, coverage=1.0
)


@pytest.mark.parametrize(("kind", "trained"), [("tuned", 1), ("frozen", 0), ("both", 1)])
def test_word_vectors_are_the_first_ones(kind, trained):
    layer = EmbeddingOptions(size=2, vectors=kind).make(8, VECTORS)
    values = np.asarray(layer(np.array([[4, 6, 1]])))[0]
    expected = [[3, 1], [1, -1], [2, 0]]  # the unknown token is the mean of all
    np.testing.assert_array_equal(values, np.tile(expected, 2) if kind == "both" else expected)
    assert len(layer.trainable_weights) == trained
    assert np.asarray(layer.compute_mask(np.array([[4, 0]]))).tolist() == [[True, False]]


def test_other_tokens_begin_with_random_vectors_of_the_same_deviation():
    rows = np.random.default_rng(1).normal(0, 0.3, (200, 16)).astype("float32")
    vectors = WordVectors(np.arange(4, 204), rows, tokens=2000, coverage=1.0)
    table = np.asarray(EmbeddingOptions(size=16).make(2000, vectors).embeddings)
    assert table[204:].std() == pytest.approx(0.3, rel=0.05)
    assert len(np.unique(table[204:])) > 20000


def test_vectors_of_another_size_are_refused():
    with pytest.raises(UserError, match="size: expected 2, the features of the word vectors"):
        EmbeddingOptions(size=3).make(8, VECTORS)
