"""Embeddings."""

import numpy as np
import pytest

from rnnpipe.parts.embedding import EmbeddingOptions
from tests.parts.common import check_round_trip


@pytest.mark.parametrize(("scale", "expected"), [(None, 1 / 8), (2.0, 2.0)])
def test_vectors_start_at_their_scale(scale, expected):
    layer = EmbeddingOptions(size=64, scale=scale).make(500)
    layer.build()
    assert np.asarray(layer.embeddings).std() == pytest.approx(expected, rel=0.05)


def test_padding_is_masked():
    layer = EmbeddingOptions(size=4).make(9)
    mask = layer.compute_mask(np.array([[4, 5, 0]]))
    assert np.asarray(mask).tolist() == [[True, True, False]]


def test_settings_survive_yaml_and_pickling():
    check_round_trip(EmbeddingOptions, EmbeddingOptions(scale=0.1, word_dropout=0.2))
