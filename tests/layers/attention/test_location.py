"""What a location-aware mechanism sees of a grid, and what it refuses."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LocationAttention
from tests.layers.attention.mechanisms import filled
from tests.layers.comparing import close


def test_a_filter_over_a_grid_sees_rows_and_columns(random):
    """The score is, but for the sign, one filter over the alignments before."""
    layer = LocationAttention(1, filters=1, kernel_size=3, use_bias=False, activation="linear")
    filled(layer, random, 2, (None, 3, 4, 5))
    layer.query_kernel.assign(np.zeros((2, 1)))
    layer.memory_kernel.assign(np.zeros((5, 1)))
    layer.score_kernel.assign(np.ones((1, 1)))
    layer.location_kernel.assign(np.ones((1, 1)))
    before = random.random((1, 1, 3, 4)).astype("float32")
    _, alignments = layer(np.zeros((1, 2)), np.zeros((1, 3, 4, 5)), state=before)
    padded, filter_ = np.pad(before[0, 0], 1), layer.convolution.numpy()[:, :, 0, 0]
    scores = np.array(
        [[np.sum(padded[y : y + 3, x : x + 3] * filter_) for x in range(4)] for y in range(3)]
    )
    close(alignments[0, 0], np.exp(scores) / np.exp(scores).sum())


def test_a_layer_built_for_one_kind_of_memory_refuses_another(random):
    layer = filled(LocationAttention(2, name="look"), random, 2, (None, None, 5))
    with pytest.raises(UserError, match="'look': expected a memory of 1 axes of positions, got 2"):
        layer(np.zeros((1, 2)), np.zeros((1, 3, 4, 5)))


@pytest.mark.parametrize("options", [{"filters": 0}, {"kernel_size": 0}])
def test_wrong_sizes_are_refused(options):
    with pytest.raises(UserError, match="at least 1 filter over 1 position, got filters="):
        LocationAttention(2, **options)


def test_a_sharpening_of_zero_is_refused():
    with pytest.raises(UserError, match="a sharpening above 0, got 0"):
        LocationAttention(2, sharpening=0)


def test_a_state_of_another_memory_is_refused(random):
    layer = filled(LocationAttention(2, name="look"), random, 2, (None, None, 5))
    message = r"'look': expected a state of shapes \[\(1, 1, 4\)\], got \[\(1, 1, 3\)\]; pass what"
    with pytest.raises(UserError, match=message):
        layer(np.zeros((1, 2)), np.zeros((1, 4, 5)), state=np.zeros((1, 1, 3)))
