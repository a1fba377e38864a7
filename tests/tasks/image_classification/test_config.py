import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.attention import CoverageAttentionOptions
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.tasks.image_classification.config import ImageClassificationConfig

HARD = {"reader": {"attention": {"kind": "hard"}}}


def load(**values):
    data = {"source": {"kind": "cluttered_shapes"}, **values.pop("data", {})}
    whole = {"task": "image_classification", "data": data, **values}
    return load_settings(ImageClassificationConfig, whole)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": {"source": {"kind": "image_folders"}}}, "data.source.path: expected"),
        (
            {"train": {"reinforce": {"reward_weight": 2}}},
            "train.reinforce: expected null without hard attention",
        ),
        (
            {"model": {"image_encoder": {"kind": "features"}}},
            "model.image_encoder: expected another kind without data.features, got features",
        ),
        (
            {"model": {"reader": {"attention": {"kind": "local"}}}},
            "attention.kind: expected an attention that reads grids, got local",
        ),
    ],
)
def test_mistakes_are_reported(values, message):
    with pytest.raises(UserError) as fault:
        load(**values)
    assert message in str(fault.value)


def test_hard_attention_is_trained_by_reinforce():
    assert load().reinforce is None
    assert load(model=HARD).reinforce == ReinforceOptions()
    weights = {"reinforce": {"entropy_weight": 0.5}}
    assert load(model=HARD, train=weights).reinforce == ReinforceOptions(entropy_weight=0.5)


def test_a_key_of_the_reader_keeps_the_defaults_of_the_others():
    config = load(model={"reader": {"steps": 3, "attention": {"glimpses": 2}}})
    attention = CoverageAttentionOptions(units=64, glimpses=2)
    assert config.model.reader.attention == attention
    assert config.model.reader.cell.units == 128
