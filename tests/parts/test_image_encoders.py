"""Every image encoder, on tiny shapes."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.backbones import ApplicationBackboneOptions, SavedBackboneOptions
from rnnpipe.parts.image_encoders import (
    BackboneEncoderOptions,
    CNNOptions,
    FeatureEncoderOptions,
    ImageEncoderOptions,
)
from tests.parts.common import check_round_trip

PIXELS = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), "uint8")
BACKBONE = ApplicationBackboneOptions(name="mobilenet", weights="none", options={"alpha": 0.25})
OPTIONS = {
    "cnn": CNNOptions(channels=(4, 6)),
    "backbone": BackboneEncoderOptions(backbone=BACKBONE),
    "features": FeatureEncoderOptions(units=5),
}


def test_every_kind_is_tested():
    assert set(OPTIONS) == set(ImageEncoderOptions.kinds.load())


def test_a_cnn_makes_a_grid_with_coordinates():
    assert tuple(OPTIONS["cnn"].make((32, 32, 3))(PIXELS).shape) == (2, 4, 4, 8)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_is_trained_only_where_it_is_fine_tuned(fine_tune):
    encoder = BackboneEncoderOptions(backbone=BACKBONE, fine_tune=fine_tune).make((32, 32, 3))
    assert tuple(encoder(PIXELS).shape) == (2, 1, 1, 256)
    assert bool(encoder.trainable_variables) == fine_tune


def test_a_saved_backbone_computes_the_features_of_its_file(tmp_path):
    model = BACKBONE.make(32)
    model.save(tmp_path / "backbone.keras")
    saved = SavedBackboneOptions(path=tmp_path / "backbone.keras", preparation="tf")
    pixels = PIXELS.astype("float32")
    expected = model(BACKBONE.prepare(pixels))
    np.testing.assert_allclose(saved.make(32)(saved.prepare(pixels)), expected, atol=1e-5)
    check_round_trip(ImageEncoderOptions, BackboneEncoderOptions(backbone=saved))


def test_features_are_projected():
    features = np.random.default_rng(1).normal(size=(2, 3, 3, 7)).astype("float32")
    assert tuple(OPTIONS["features"].make((3, 3, 7))(features).shape) == (2, 3, 3, 5)
    plain = FeatureEncoderOptions(units=None).make((3, 3, 7))
    np.testing.assert_array_equal(plain(features), features)


def test_features_are_normalised_by_those_of_training():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(64, 3, 3, 2)).astype("float32") * [1, 100] + [5, -20]
    encoder = FeatureEncoderOptions(normalize=True, units=None).make((3, 3, 2))
    mean, deviation = features.mean((0, 1, 2)), features.std((0, 1, 2))
    trained = encoder(features, training=True)
    np.testing.assert_allclose(trained, (features - mean) / deviation, atol=1e-2)
    for _ in range(200):
        encoder(features, training=True)
    np.testing.assert_allclose(encoder(features[:1]), trained[:1], atol=1e-2)


@pytest.mark.parametrize("kind", OPTIONS)
def test_settings_survive_yaml_and_pickling(kind):
    check_round_trip(ImageEncoderOptions, OPTIONS[kind])


def test_missing_requirements_are_reported_before_a_build(tmp_path):
    missing = tmp_path / "missing.keras"
    with pytest.raises(UserError, match=r"backbone.path: expected a file .* got No such file"):
        BackboneEncoderOptions(backbone=SavedBackboneOptions(path=missing)).check_files()
    with pytest.raises(UserError, match=r"backbone.name: expected a network of keras.applications"):
        ApplicationBackboneOptions(name="NoSuchNet").make(32)
