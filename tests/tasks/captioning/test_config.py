import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas

FEATURES = ["data.features={backbone: ResNet50}", "model.image_encoder={kind: features}"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ["train.self_critical={baseline: samples}"],
            "train.self_critical.samples: expected at least 2 with the baseline samples, got 1",
        ),
        (
            ["train.self_critical.optimizer={kind: adam, schedule: {kind: plateau}}"],
            "train.self_critical.optimizer.schedule.kind: expected another kind than plateau",
        ),
        (
            [*FEATURES, "train.augment={flip: true}"],
            "train.augment.flip: expected none with data.features, got true; leave it out",
        ),
        (
            ["data.image.size=31", "model.image_encoder={kind: backbone}"],
            "size=31: expected at least 32 for the encoder backbone, got 31; write e.g. 224",
        ),
    ],
)
def test_mistakes(tmp_path, settings, told):
    path = tmp_path / "config.yaml"
    path.write_text("task: captioning\ndata:\n  source: {kind: shapes_captions}\n")
    with pytest.raises(UserError) as fault:
        load_config(path, find_schemas(), settings)
    assert told in str(fault.value)
