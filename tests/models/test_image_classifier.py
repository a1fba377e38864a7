import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.image_classifier import (
    ImageClassifierOptions,
    build_image_classifier,
    build_pooling_classifier,
)

CNN = {"kind": "cnn", "channels": [4, 5]}
IMAGES = np.random.default_rng(1).integers(0, 255, (2, 32, 32, 3), "uint8")


def options_of(attention, cell=None, **reader):
    cell = cell or {"kind": "lstm", "units": 6}
    reader = {"cell": cell, "steps": 4, "attention": attention, **reader}
    return load_settings(ImageClassifierOptions, {"image_encoder": CNN, "reader": reader})


def build(attention, **reader):
    return build_image_classifier(
        options_of(attention, **reader), image_shape=(32, 32, 3), classes=3, seed=1
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_soft_glimpses_are_spread_over_the_grid(depth):
    model = build({"kind": "coverage", "units": 7}, depth=depth)
    outputs = model(IMAGES)
    assert outputs["logits"].shape == (2, 3)
    assert outputs["alignments"].shape == (2, 4, 4, 4)
    np.testing.assert_allclose(outputs["alignments"].numpy().sum(axis=(2, 3)), 1, rtol=1e-5)


def test_hard_glimpses_come_with_their_probabilities(tmp_path):
    model = build({"kind": "hard", "mechanism": {"kind": "additive", "units": 7}})
    outputs = model(IMAGES)
    assert outputs["alignments"].shape == outputs["probabilities"].shape == (2, 4, 4, 4)
    assert set(np.unique(outputs["alignments"])) == {0, 1}
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(IMAGES)["logits"], outputs["logits"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("attention", "cell", "message"),
    [
        ({"kind": "monotonic"}, None, "reader.attention.kind: expected an attention that reads"),
        ({"kind": "gated", "mechanism": {"kind": "local"}}, None, "reader.attention.kind: exp"),
        ({"kind": "hard", "mechanism": {"kind": "hard"}}, None, "mechanism that is not hard"),
        ({"kind": "hard", "mechanism": {"kind": "multi_head"}}, None, "one alignment of each"),
        ({"kind": "additive"}, {"kind": "att2in"}, "cell.kind: expected a cell that reads one"),
        ({"kind": "dot"}, None, "reader.cell: expected 7 units, as many as the grid has channels"),
    ],
)
def test_impossible_combinations_are_refused(attention, cell, message):
    with pytest.raises(UserError) as fault:
        options_of(attention, cell)
    assert message in str(fault.value)


def test_dot_attention_reads_a_grid_with_as_many_channels_as_units():
    model = build({"kind": "dot"}, cell={"kind": "projection_lstm", "units": 3, "projection": 7})
    assert model(IMAGES)["logits"].shape == (2, 3)


def test_a_pooling_classifier_reads_the_whole_image():
    options = options_of({"kind": "additive"})
    model = build_pooling_classifier(options, image_shape=(32, 32, 3), classes=3)
    assert model(IMAGES)["logits"].shape == (2, 3)
