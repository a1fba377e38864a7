import numpy as np
import tensorflow as tf

from rnnpipe.layers import CoordinateChannels


def test_coordinates_run_from_minus_one_to_one_along_their_axis():
    grid = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    out = np.asarray(CoordinateChannels()(grid))
    np.testing.assert_array_equal(out[..., :4], grid)
    np.testing.assert_allclose(out[1, :, 2, 4], [-1, 0, 1])
    np.testing.assert_allclose(out[1, 2, :, 5], [-1, -0.5, 0, 0.5, 1])


def test_grids_of_any_size_can_be_traced():
    layer = CoordinateChannels()
    call = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 2))])
    grid = np.zeros((1, 2, 3, 2), "float32")
    np.testing.assert_allclose(call(grid), layer(grid))
