"""Every pooling."""

from typing import Any

import numpy as np
import pytest

from rnnpipe.parts.pooling import PoolingOptions
from tests.parts.common import check_round_trip

KINDS: dict[str, Any] = PoolingOptions.kinds.load()
X = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "last"])
def test_every_pooling_ignores_padding(kind):
    layer = KINDS[kind]().make()
    pooled = layer(X, mask=MASK)[0]
    assert pooled.shape[0] == 2
    np.testing.assert_allclose(pooled[1:], layer(X[1:, :2])[0], atol=1e-6)


def test_poolings_equal_their_definitions():
    mean, largest = (KINDS[kind]().make()(X)[0] for kind in ("mean", "max"))
    np.testing.assert_allclose(np.reshape(mean, (2, 3)), X.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(np.reshape(largest, (2, 3)), X.max(axis=1), atol=1e-6)
    assert not KINDS["last"].needs_sequences


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_yaml_and_pickling(kind):
    check_round_trip(PoolingOptions, KINDS[kind]())
