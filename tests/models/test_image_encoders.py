"""The encoders of images: their grids, what learns, and the errors of their settings."""

from pathlib import Path

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.backbones import ApplicationBackboneOptions, SavedBackboneOptions
from rnnpipe.parts.image_encoders import (
    BackboneEncoderOptions,
    CNNOptions,
    FeatureEncoderOptions,
)


def mobilenet(**options):
    return ApplicationBackboneOptions(
        name="mobilenet_v2", weights="none", options={"alpha": 0.35}, **options
    )


def test_patches_and_stages_divide_the_grid():
    encoder = CNNOptions(patch=2, channels=(4, 6, 8)).make((32, 32, 3))
    assert encoder(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 4, 4, 10)
    assert encoder.output_shape == (None, 4, 4, 10)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_is_updated_only_where_it_is_fine_tuned(fine_tune):
    options = BackboneEncoderOptions(backbone=mobilenet(), fine_tune=fine_tune)
    encoder = options.make((40, 40, 3))
    assert encoder.output_shape == (None, 2, 2, 1280)
    assert bool(encoder.trainable_weights) is fine_tune


def test_batch_normalisation_of_a_fine_tuned_backbone_stays_in_inference_mode(tmp_path):
    made = BackboneEncoderOptions(backbone=mobilenet(), fine_tune=True).make((40, 40, 3))
    made.save(tmp_path / "encoder.keras")
    encoder = keras.models.load_model(tmp_path / "encoder.keras")
    images = np.random.default_rng(0).integers(0, 256, (4, 40, 40, 3), "uint8")
    np.testing.assert_allclose(encoder(images, training=True), encoder(images), atol=1e-6)
    encoder.compile("adam", "mse")
    before = [np.array(weight) for weight in encoder.weights]
    encoder.train_on_batch(images, np.ones((4, 2, 2, 1280)))
    changed = {
        weight.path.rpartition("/")[2]
        for weight, value in zip(encoder.weights, before, strict=True)
        if (np.array(weight) != value).any()
    }
    assert changed == {"kernel"}


@pytest.mark.parametrize(("preparation", "shift"), [("none", 0.0), ("tf", 1.0)])
def test_a_saved_model_is_a_backbone(tmp_path, preparation, shift):
    pixels = keras.Input((None, None, 3))
    network = keras.Model(pixels, keras.layers.Conv2D(5, 8, strides=8)(pixels))
    network.save(tmp_path / "network.keras")
    backbone = SavedBackboneOptions(path=tmp_path / "network.keras", preparation=preparation)
    encoder = BackboneEncoderOptions(backbone=backbone).make((16, 16, 3))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")
    prepared = images / 127.5 - shift if shift else images.astype("float32")
    np.testing.assert_allclose(encoder(images), network(prepared), rtol=1e-4, atol=1e-3)
    assert encoder.trainable_weights == []


def test_features_are_projected_or_read_as_they_are():
    features = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")
    plain = FeatureEncoderOptions(units=None).make((3, 3, 4))
    np.testing.assert_array_equal(plain(features), features)
    encoder = FeatureEncoderOptions(units=5).make((3, 3, 4))
    kernel, bias = encoder.get_weights()
    expected = np.maximum(features @ kernel + bias, 0)
    np.testing.assert_allclose(encoder(features), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "content", "message"),
    [
        (32, None, "backbone.weights: expected a file .*backbone.weights.h5, got No such file"),
        (32, b"no weights", "got Unable to .*open file"),
        (31, None, "image size: 31.*at least 32x32"),
    ],
)
def test_errors_of_backbones_name_the_setting(tmp_path, size, content, message):
    path = tmp_path / "backbone.weights.h5"
    if content is not None:
        path.write_bytes(content)
    weights = path if size == 32 else "none"
    backbone = ApplicationBackboneOptions(name="mobilenet_v2", weights=weights)
    encoder = BackboneEncoderOptions(backbone=backbone)

    def make():
        encoder.check_files()
        encoder.make((size, size, 3))

    with pytest.raises(UserError, match=message):
        make()


def test_a_missing_model_is_an_error_before_it_is_loaded():
    backbone = SavedBackboneOptions(path=Path("no.keras"))
    message = "backbone.path: expected a file no.keras, got No such file"
    with pytest.raises(UserError, match=message):
        BackboneEncoderOptions(backbone=backbone).check_files()
