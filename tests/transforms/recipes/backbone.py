"""A very small backbone whose features differ, and what a plain loop makes of it."""

import keras
import numpy as np

from rnnpipe.parts.backbones import ApplicationBackboneOptions
from rnnpipe.transforms.recipes.image_features import FeatureOptions

SIDE = 32  # of what it sees, in pixels
CHANNELS = 32  # of its 8 x 8 cells
_LAYER, _ALPHA = "conv_pw_3_relu", 0.25


def check_half(features, expected):
    """Checks that features are the expected ones, rounded to half precision."""
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-4)


def write_weights(path, alpha=_ALPHA):
    """Writes weights such that features are neither all zero nor all alike."""
    network = _build(alpha)
    rng = np.random.default_rng(1)
    for variable in network.weights:
        if "kernel" in variable.path:
            inputs = 9 if "conv_dw" in variable.path else np.prod(variable.shape[:-1])
            variable.assign(rng.normal(size=variable.shape) * (2 / inputs) ** 0.5)
    network.save_weights(path)


def make_features(weights, **more):
    """What a build computes with these weights."""
    backbone = ApplicationBackboneOptions(
        name="MobileNet", weights=weights, options={"alpha": _ALPHA}
    )
    return FeatureOptions(
        backbone=backbone, image_size=SIDE, layer=_LAYER, **{"batch_size": 4, **more}
    )


def compute_plainly(weights):
    """The grid of one image `(height, width, 3)`, without batches, as Keras documents it."""
    whole = _build()
    whole.load_weights(weights)
    network = keras.Model(whole.input, whole.get_layer(_LAYER).output)

    def compute(pixels):
        return network.predict_on_batch(np.asarray(pixels, np.float32)[None] / 127.5 - 1)[0]

    return compute


def _build(alpha=_ALPHA):
    shape = (SIDE, SIDE, 3)
    return keras.applications.MobileNet(
        include_top=False, weights=None, alpha=alpha, input_shape=shape
    )
