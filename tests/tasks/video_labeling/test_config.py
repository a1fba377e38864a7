import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas

FEATURES = ["data.features={backbone: MobileNetV2}", "model.frame_encoder={kind: features}"]


@pytest.mark.parametrize(
    ("source", "settings", "told"),
    [
        ("{kind: moving_shapes, size: 33}", [], "data.source.size"),
        (
            "{kind: moving_shapes}",
            ["data.frames.box=[0.5, 0, 0.5, 1]"],
            "box=[0.5, 0, 0.5, 1]: expected left < right and top < bottom",
        ),
        ("{kind: tfds}", [], "expected the name or the path of a data set, got neither"),
        (
            "{kind: clips, path: x}",
            ["train.keep_best.metric=frame_accuracy"],
            "expected clip_accuracy or loss, got frame_accuracy; frames have no labels",
        ),
        (
            "{kind: moving_shapes}",
            ["data.features={backbone: MobileNetV2}"],
            "model.frame_encoder: expected the kind features, got cnn; let model.frame_encoder and",
        ),
        (
            "{kind: moving_shapes}",
            ["model.frame_encoder={kind: features}"],
            "expected another kind without data.features, got features",
        ),
        (
            "{kind: moving_shapes}",
            [*FEATURES, "train.augment={shift: 2, flip: true}"],
            "train.augment.shift: expected none with data.features, got 2; leave it out",
        ),
        (
            "{kind: moving_shapes}",
            [*FEATURES, "train.augment={shift: 2, flip: true}"],
            "train.augment.flip: expected none with data.features, got true; leave it out",
        ),
    ],
)
def test_mistakes(tmp_path, source, settings, told):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: video_labeling\ndata:\n  source: {source}\n")
    with pytest.raises(UserError) as fault:
        load_config(path, find_schemas(), settings)
    assert told in str(fault.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{kind: moving_shapes}", True),
        ("{kind: grid, path: x}", True),
        ("{kind: clips, path: x}", False),
        ("{kind: clips, path: x, frame_labels: y.csv}", True),
        ("{kind: tfds, name: ucf101}", False),
    ],
)
def test_whether_frames_have_labels_is_known_before_there_are_any(tmp_path, source, expected):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: video_labeling\ndata:\n  source: {source}\n")
    assert load_config(path, find_schemas()).data.labels_frames is expected


def test_features_take_an_encoder_of_features(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("task: video_labeling\ndata:\n  source: {kind: moving_shapes}\n")
    config = load_config(path, find_schemas(), FEATURES)
    assert config.data.features.image_size == 224
    assert config.model.frame_encoder.features == 64
    assert load_config(path, find_schemas()).data.features is None
