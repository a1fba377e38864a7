"""Features of images that a backbone makes."""

import os
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_flags
from rnnpipe.errors import UserError
from rnnpipe.parts.backbones import ApplicationBackboneOptions, SavedBackboneOptions
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from tests.transforms.recipes.backbone import CHANNELS, SIDE, check_half, make_features


def make(name="mobilenet", *, options=None, **features):
    backbone = ApplicationBackboneOptions(name=name, weights="none", options=options or {})
    return FeatureOptions(backbone=backbone, **features)


def test_no_images_no_features(weights):
    assert make_features(weights)(np.zeros((0, SIDE, SIDE, 3), np.uint8)).shape == (0, 8, 8, 32)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (make("nonsense"), "data.features.backbone.name: expected a network of keras.applications"),
        (make(image_size=SIDE, layer="no"), "got No such layer: no. Existing layers"),
        (make(image_size=64, layer="dropout"), "No such layer"),
        (make(image_size=SIDE, options={"beta": 1}), "argument 'beta'"),
        (
            FeatureOptions(backbone=SavedBackboneOptions(path=Path("missing.keras"))),
            r"data.features.backbone.path: expected a file missing.keras, got No such file",
        ),
    ],
)
def test_user_errors_of_features_are_raised(features, message):
    with pytest.raises(UserError, match=message):
        _ = features.shape


def test_a_layer_without_spatial_cells_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten()])
    model.save(tmp_path / "flat.keras")
    backbone = SavedBackboneOptions(path=tmp_path / "flat.keras")
    features = FeatureOptions(backbone=backbone, image_size=SIDE)
    with pytest.raises(UserError, match=r"data.features.layer: expected a grid"):
        _ = features.shape


def test_features_of_a_saved_model_are_its_outputs_or_those_of_a_layer(tmp_path):
    pixels = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(4, 8, strides=8, name="first")(pixels)
    keras.Model(pixels, keras.layers.Conv2D(2, 1)(first)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    backbone = SavedBackboneOptions(path=tmp_path / "model.keras", preparation="tf")
    images = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), "uint8")
    prepared = images.astype("float32") / 127.5 - 1
    features = FeatureOptions(backbone=backbone, image_size=SIDE, batch_size=2)
    check_half(features(images), loaded.predict_on_batch(prepared))
    features = FeatureOptions(backbone=backbone, image_size=SIDE, layer="first")
    expected = loaded.get_layer("first")(prepared)
    check_half(features(images), expected)
    np.testing.assert_allclose(features.vectors(images), np.mean(expected, axis=(1, 2)), atol=1e-4)


def test_grids_are_averaged_to_fewer_cells(weights):
    images = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), "uint8")
    whole, features = make_features(weights), make_features(weights, cells=2)
    quarters = [[s, t] for s in (slice(0, 4), slice(4, 8)) for t in (slice(0, 4), slice(4, 8))]
    expected = np.stack([whole(images)[:, s, t].mean((1, 2)) for s, t in quarters], axis=1)
    assert features.shape == (2, 2, CHANNELS)
    check_half(features(images).reshape(3, 4, CHANNELS), expected)
    check_half(features.vectors(images), expected.reshape(3, -1))
    check_half(features.as_layer()(images), features(images))
    np.testing.assert_allclose(
        features.as_layer(flat=True)(images), features.vectors(images), atol=1e-5
    )
    assert features.settings != whole.settings
    with pytest.raises(UserError, match=r"data.features.cells: expected a divisor of 8 rows"):
        _ = make_features(weights, cells=3).shape


def test_features_are_of_half_precision_and_finite(tmp_path):
    pixels = keras.Input((None, None, 3))
    grid = keras.layers.Conv2D(4, 8, strides=8, name="grid")(pixels)
    keras.Model(pixels, keras.layers.Rescaling([1, 1e9, -1e9, 1e-9])(grid)).save(
        tmp_path / "model.keras"
    )
    backbone = SavedBackboneOptions(path=tmp_path / "model.keras")
    features = FeatureOptions(backbone=backbone, image_size=SIDE)
    images = np.random.default_rng(0).integers(1, 256, (3, SIDE, SIDE, 3), "uint8")
    grids = features(images)
    assert grids.dtype == np.float32
    np.testing.assert_array_equal(grids, grids.astype(np.float16))
    assert np.abs(grids).max() == np.finfo(np.float16).max
    np.testing.assert_allclose(features.as_layer()(images), grids)


def test_weights_count_by_their_content(weights, tmp_path):
    elsewhere = tmp_path / "elsewhere.weights.h5"
    elsewhere.write_bytes(weights.read_bytes())
    settings = [make_features(path).settings for path in (weights, elsewhere)]
    assert settings[0] == settings[1]
    assert "keras" in settings[0]
    message = r"data.features.backbone.weights: expected a file .*, got No such"
    with pytest.raises(UserError, match=message):
        _ = make_features(tmp_path / "missing.h5").settings


def test_workers_find_files_from_any_folder(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(weights.parent)
    features = pickle.loads(pickle.dumps(make_features(Path(weights.name)).for_workers()))
    os.chdir(tmp_path)
    assert features.backbone.weights == weights
    assert features.shape == (8, 8, 32)


def test_a_config_names_a_backbone_by_its_kind():
    flags = ["backbone.kind=application", "backbone.name=ResNet101", "image_size=448"]
    features = load_flags(FeatureOptions, flags)
    assert features.backbone == ApplicationBackboneOptions(name="ResNet101")
    assert (features.image_size, features.batch_size, features.layer) == (448, 32, None)
