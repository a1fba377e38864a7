import numpy as np
import pytest
from rnnpipe.models.image_encoders import build_backbone, build_cnn

from rnnpipe.errors import UserError


def test_patches_and_stages_divide_the_grid():
    encoder = build_cnn(32, patch=2, channels=(4, 6, 8))
    assert encoder(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 4, 4, 10)
    assert encoder.output_shape == (None, 4, 4, 10)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_learns_only_where_it_is_fine_tuned(fine_tune):
    encoder = build_backbone(40, "mobilenet_v2", weights=None, fine_tune=fine_tune)
    assert encoder.output_shape == (None, 2, 2, 1280)
    assert bool(encoder.trainable_weights) is fine_tune
    before = [np.array(weight) for weight in encoder.weights]
    images = np.random.default_rng(0).integers(0, 256, (4, 40, 40, 3), "uint8")
    encoder(images, training=True)  # which moves the statistics of batches that it normalises by
    moved = any((np.array(w) != b).any() for w, b in zip(encoder.weights, before, strict=True))
    assert moved is fine_tune


@pytest.mark.parametrize(
    ("size", "content", "told"),
    [
        (32, None, "weights: .*backbone.weights.h5, image size: 32"),
        (32, b"no weights", "got Unable to .*open file"),
        (31, None, "image size: 31.*at least 32x32"),
    ],
)
def test_what_no_backbone_can_be_made_of_is_told(tmp_path, size, content, told):
    path = tmp_path / "backbone.weights.h5"
    if content is not None:
        path.write_bytes(content)
    weights = path if size == 32 else None
    with pytest.raises(UserError, match=told) as fault:
        build_backbone(size, "mobilenet_v2", weights=weights)
    assert fault.value.where == "model.image_encoder"
