import keras
import numpy as np
import pytest
from rnnpipe.models.glimpses import build_cnn_classifier, build_glimpse_classifier

TINY = {"image_size": 32, "classes": 3, "channels": [4, 5]}


@pytest.mark.parametrize("options", [{}, {"recurrence": "gru", "attention": "coverage"}])
def test_soft_looks_are_spread_over_the_grid(options):
    model = build_glimpse_classifier(**TINY, units=6, glimpses=4, attention_units=7, **options)
    images = np.random.default_rng(1).integers(0, 255, (2, 32, 32, 3), "uint8")
    found = model(images)
    assert found["logits"].shape == (2, 3)
    assert found["alignments"].shape == (2, 4, 4, 4)
    np.testing.assert_allclose(found["alignments"].numpy().sum(axis=(2, 3)), 1, rtol=1e-5)


def test_hard_looks_come_with_their_probabilities(tmp_path):
    model = build_glimpse_classifier(**TINY, units=6, glimpses=4, attention_units=7, hard=True)
    images = np.random.default_rng(1).integers(0, 255, (2, 32, 32, 3), "uint8")
    found = model(images)
    assert found["alignments"].shape == found["probabilities"].shape == (2, 4, 4, 4)
    assert set(np.unique(found["alignments"])) == {0, 1}
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(images)["logits"], found["logits"], rtol=1e-5, atol=1e-6)


def test_a_cnn_sees_all_at_once():
    model = build_cnn_classifier(**TINY, units=6)
    assert model(np.zeros((2, 32, 32, 3), "uint8"))["logits"].shape == (2, 3)
