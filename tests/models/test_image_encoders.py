import numpy as np

from rnnpipe.models.image_encoders import build_cnn


def test_patches_and_stages_divide_the_grid():
    encoder = build_cnn(32, patch=2, channels=(4, 6, 8))
    assert encoder(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 4, 4, 10)
    assert encoder.output_shape == (None, 4, 4, 10)
