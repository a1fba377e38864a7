"""What must hold between the settings of a run of visual question answering."""

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.tasks.vqa.config import VqaConfig

FEATURES = {"backbone": {"kind": "application", "name": "ResNet50"}}


def load(data=None, **sections):
    data = {"source": {"kind": "shapes"}, **(data or {})}
    return load_settings(VqaConfig, {"task": "vqa", "data": data, **sections})


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {
                "data": {"features": FEATURES},
                "model": {"image_encoder": {"kind": "features"}},
                "train": {"augment": {"shift": 2}},
            },
            "train.augment.shift: expected none with data.features, got 2; leave it out",
        ),
        (
            {"data": {"features": FEATURES}},
            "model.image_encoder: expected the kind features, got cnn",
        ),
        (
            {"model": {"image_encoder": {"kind": "features"}}},
            "model.image_encoder: expected another kind without data.features, got features",
        ),
        (
            {"train": {"reinforce": {"entropy_weight": 0.1}}},
            "train.reinforce: expected null without hard attention",
        ),
        (
            {"model": {"attention": {"kind": "local"}}},
            "model.attention.kind: expected an attention that reads grids, got local",
        ),
    ],
)
def test_mistakes_are_reported(sections, message):
    with pytest.raises(UserError) as fault:
        load(**sections)
    assert message in str(fault.value)


def test_options_of_reinforce_are_read():
    config = load(
        model={"attention": {"kind": "hard"}}, train={"reinforce": {"entropy_weight": 0.1}}
    )
    assert config.train.reinforce.entropy_weight == 0.1
    assert config.train.reinforce.reward_weight == 1.0


def test_a_key_of_the_attention_keeps_the_other_defaults():
    config = load(model={"attention": {"units": 96}})
    expected = AdditiveAttentionOptions(units=96, glimpses=2, activation="relu")
    assert config.model.attention == expected
