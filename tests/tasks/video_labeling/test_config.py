import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.tasks.video_labeling.config import VideoLabelingConfig

MOVING = {"kind": "moving_shapes"}
FEATURES = {"backbone": {"kind": "application", "name": "MobileNetV2"}}
READS_FEATURES = {"frame_encoder": {"image_encoder": {"kind": "features"}}}


def load(source, **values):
    data = {"source": source, **values.pop("data", {})}
    return load_settings(VideoLabelingConfig, {"task": "video_labeling", "data": data, **values})


@pytest.mark.parametrize(
    ("source", "values", "message"),
    [
        ({**MOVING, "size": 33}, {}, "data.source.size"),
        (
            MOVING,
            {"data": {"frames": {"box": [0.5, 0, 0.5, 1]}}},
            "box: expected left < right and top < bottom, from 0 to 1, got [0.5, 0.0, 0.5, 1.0]",
        ),
        ({"kind": "tfds"}, {}, "expected the name or the path of a data set, got neither"),
        (
            {"kind": "clips", "path": "x"},
            {"train": {"keep_best": {"metric": "frame_accuracy"}}},
            "expected clip_accuracy or loss, got frame_accuracy; frames have no labels",
        ),
        (
            MOVING,
            {"data": {"features": FEATURES}},
            "model.frame_encoder.image_encoder: expected the kind features, got cnn; let model.",
        ),
        (MOVING, {"model": READS_FEATURES}, "expected another kind without data.features, got fea"),
        (
            MOVING,
            {
                "data": {"features": FEATURES},
                "model": READS_FEATURES,
                "train": {"augment": {"shift": 2, "flip": True}},
            },
            "train.augment.flip: expected none with data.features, got true; leave it out",
        ),
        (
            MOVING,
            {"model": {"recurrence": {"cell": {"kind": "att2in"}}}},
            "model.recurrence.cell.kind: expected a cell that reads a sequence alone, got att2in",
        ),
    ],
)
def test_mistakes_are_reported(source, values, message):
    with pytest.raises(UserError) as fault:
        load(source, **values)
    assert message in str(fault.value)


def test_omitted_keys_have_the_values_of_the_default_sections():
    config = load(MOVING, model={"recurrence": {"depth": 2}}, train={"epochs": 3})
    assert config.model.recurrence.cell == GRUOptions(units=64)
    assert (config.train.batch_size, config.evaluate.batch_size) == (16, 16)
    assert load(MOVING, model={"recurrence": None}).model.recurrence is None


def test_features_take_an_encoder_of_features():
    config = load(MOVING, data={"features": FEATURES}, model=READS_FEATURES)
    assert config.data.features.image_size == 224
    assert config.model.frame_encoder.units == 64
    assert load(MOVING).data.features is None
