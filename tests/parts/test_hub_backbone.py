"""Backbones of KerasHub from folders of presets, against KerasHub itself."""

import shutil

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.backbones import BackboneOptions
from rnnpipe.parts.hub_backbone import HubBackboneOptions
from rnnpipe.parts.image_encoders import BackboneEncoderOptions, ImageEncoderOptions
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from tests.parts.common import check_round_trip
from tests.transforms.recipes.backbone import check_half

SIDE = 32
PIXELS = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), "uint8")


@pytest.fixture(scope="module")
def hub():
    return pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def resnet(hub, tmp_path_factory):
    """A small ResNet with random weights, as a preset."""
    folder = tmp_path_factory.mktemp("presets") / "resnet"
    keras.utils.set_random_seed(1)
    backbone = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )
    backbone.save_to_preset(folder)
    scale, offset = [0.017, 0.018, 0.019], [-2.0, -2.1, -1.8]
    hub.layers.ResNetImageConverter(scale=scale, offset=offset).save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def vit(hub, tmp_path_factory):
    """A small vision transformer with random weights, as a preset."""
    folder = tmp_path_factory.mktemp("presets") / "vit"
    keras.utils.set_random_seed(1)
    sizes = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
    hub.models.ViTBackbone(image_shape=(SIDE, SIDE, 3), patch_size=8, **sizes).save_to_preset(
        folder
    )
    hub.layers.ViTImageConverter(scale=1 / 127.5, offset=-1.0).save_to_preset(folder)
    return folder


def compute(hub, folder, pixels=PIXELS):
    """What KerasHub makes of pixels, with its own preparation."""
    converter = hub.layers.ImageConverter.from_preset(str(folder))
    backbone = hub.models.Backbone.from_preset(str(folder))
    return backbone, converter(pixels.astype("float32"))


def test_the_grid_of_a_preset_is_that_of_its_backbone_and_converter(hub, resnet):
    backbone, prepared = compute(hub, resnet)
    options = HubBackboneOptions(path=resnet)
    grid = BackboneEncoderOptions(backbone=options).make(PIXELS.shape[1:])(PIXELS)
    np.testing.assert_allclose(grid, backbone(prepared), atol=1e-5)
    features = FeatureOptions(backbone=options, image_size=SIDE, batch_size=3)(PIXELS)
    check_half(features, backbone(prepared))


def test_a_layer_may_be_a_level_of_the_pyramid(hub, resnet):
    backbone, prepared = compute(hub, resnet)
    expected = keras.Model(backbone.input, backbone.pyramid_outputs["P2"])(prepared)
    options = HubBackboneOptions(path=resnet)
    grid = BackboneEncoderOptions(backbone=options, layer="P2").make(PIXELS.shape[1:])(PIXELS)
    assert grid.shape == (2, SIDE // 4, SIDE // 4, 64)
    np.testing.assert_allclose(grid, expected, atol=1e-5)


def test_the_patches_of_a_transformer_become_a_grid(hub, vit):
    backbone, prepared = compute(hub, vit)
    patches = np.asarray(backbone(prepared))[:, 1:]  # after the class token
    grid = BackboneEncoderOptions(backbone=HubBackboneOptions(path=vit)).make((SIDE, SIDE, 3))
    np.testing.assert_allclose(grid(PIXELS), patches.reshape(2, 4, 4, 8), atol=1e-5)


@pytest.mark.parametrize("folder", ["resnet", "vit"])
def test_a_trained_encoder_is_loaded_again(folder, request, tmp_path):
    options = HubBackboneOptions(path=request.getfixturevalue(folder))
    encoder = BackboneEncoderOptions(backbone=options, fine_tune=True).make((SIDE, SIDE, 3))
    weight = encoder.trainable_weights[0]
    weight.assign(weight + 0.1)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.models.load_model(tmp_path / "encoder.keras", compile=False)
    np.testing.assert_allclose(loaded(PIXELS), encoder(PIXELS), atol=1e-5)
    check_round_trip(ImageEncoderOptions, BackboneEncoderOptions(backbone=options))


def test_a_preset_counts_by_its_content(resnet, tmp_path):
    elsewhere = shutil.copytree(resnet, tmp_path / "elsewhere")
    before = HubBackboneOptions(path=resnet).fingerprint()
    assert HubBackboneOptions(path=elsewhere).fingerprint() == before
    other = shutil.copytree(resnet, tmp_path / "other")
    (other / "image_converter.json").write_text("{}")
    assert HubBackboneOptions(path=other).fingerprint() != before


def test_user_errors_of_presets_are_raised(hub, vit, tmp_path):
    for settings, got in ({}, "neither"), ({"preset": "a", "path": tmp_path}, "both"):
        with pytest.raises(UserError, match=f"preset: expected a preset, or the path .* got {got}"):
            HubBackboneOptions(**settings)
    with pytest.raises(UserError, match=r"backbone.path: expected a file .*config.json, got No su"):
        HubBackboneOptions(path=tmp_path / "missing").check_files()
    with pytest.raises(UserError, match=r"backbone: expected a preset of images of 48 pixels"):
        HubBackboneOptions(path=vit).make(48)
    with pytest.raises(UserError, match=r"with the layer P2, got .*: No such layer: P2"):
        HubBackboneOptions(path=vit).make(SIDE, "P2")
    bare = shutil.copytree(vit, tmp_path / "bare")
    (bare / "image_converter.json").unlink()
    with pytest.raises(UserError, match=r"backbone: expected a preset with an image converter"):
        HubBackboneOptions(path=bare).prepare(PIXELS)


def test_a_kind_without_its_extra_is_named(monkeypatch):
    assert BackboneOptions.kinds.load()["hub"] is HubBackboneOptions
    monkeypatch.setattr("rnnpipe.requirements._is_there", lambda module: module != "keras_hub")
    message = r"backbone.kind: expected keras_hub to be installed, .*'rnnpipe\[hub\]'"
    with pytest.raises(UserError, match=message):
        HubBackboneOptions(preset="resnet_50_imagenet").check_files()
