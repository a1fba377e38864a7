import keras
import numpy as np
import pytest

from rnnpipe import layers
from rnnpipe.layers.initializers import draw_anew

MECHANISMS = [
    layers.AdditiveAttention(16),
    layers.CoverageAttention(16, glimpses=2),
    layers.LocationAttention(16, filters=16, kernel_size=5),
    layers.MultiHeadAttention(4, key_dim=4),
    layers.HardAttention(layers.AdditiveAttention(16)),
    layers.GatedAttention(layers.AdditiveAttention(16)),
]
CELLS = [
    layers.LSTMCell(16),
    layers.GRUCell(16),
    layers.VanillaRNNCell(16),
    layers.PeepholeLSTMCell(16),
    layers.ProjectionLSTMCell(16, projection=16),
    layers.Att2InCell(16, context=16),
    layers.LayerNormLSTMCell(16),
    layers.LayerNormGRUCell(16),
    layers.RecurrentHighwayCell(16, depth=3),
    layers.HighwayLSTMCell(16, depth=3),
]


def draws(weight):
    """The numbers of a weight in their order, on one scale; those of each layer where stacked."""
    values = np.asarray(weight)
    parts = values if values.ndim == 3 else [values]
    return [np.ravel(part) / np.std(part) for part in parts if np.size(part) and np.std(part) > 0]


def name(layer):
    return type(layer).__name__


@pytest.mark.parametrize("layer", MECHANISMS, ids=name)
def test_weights_of_a_mechanism_begin_with_numbers_of_their_own(layer):
    layer.build((None, 16), (None, 7, 16))
    check_distinct(layer.weights)


@pytest.mark.parametrize("layer", CELLS, ids=name)
def test_weights_of_a_cell_begin_with_numbers_of_their_own(layer):
    layer.build((None, 32 if isinstance(layer, layers.Att2InCell) else 16))
    check_distinct(layer.weights)


def check_distinct(weights):
    drawn = [part for weight in weights if "bias" not in weight.name for part in draws(weight)]
    assert len(drawn) > 1
    for place, one in enumerate(drawn):
        for other in drawn[:place]:
            size = min(one.size, other.size)
            # Scales may differ: it is the order of the numbers that must not be the same.
            assert not np.array_equal(np.argsort(one[:size]), np.argsort(other[:size]))


def test_functions_serve_as_initializers():
    def ones(shape, dtype=None):
        return np.ones(shape, dtype)

    assert draw_anew(ones) is ones
    kernel = keras.initializers.GlorotUniform(seed=3)
    assert np.array_equal(kernel((2, 2)), draw_anew(kernel)((2, 2)))
