from types import SimpleNamespace

import pytest

from rnnpipe.errors import UserError
from rnnpipe.records.specs import CAPTION
from rnnpipe.tasks.captioning.config import CaptioningConfig
from rnnpipe.tasks.captioning.task import CaptioningTask
from rnnpipe.transforms.recipes.tokenization import Tokenization


def make_task(**encoder):
    return CaptioningTask(
        CaptioningConfig.model_validate(
            {
                "task": "captioning",
                "data": {"source": {"kind": "shapes_captions"}, "image": {"size": 32}},
                "model": {
                    "image_encoder": {"kind": "backbone", "name": "mobilenet_v2", **encoder},
                    "decoder": {"kind": "nic", "embedding": 4, "units": 5},
                },
            }
        )
    )


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_learns_as_the_config_says(tmp_path, fine_tune):
    Tokenization("word", 20).train({"circle": 2, "red": 1}).save(tmp_path)
    task = make_task(weights="none", fine_tune=fine_tune)
    model = task.build_model(SimpleNamespace(path=tmp_path))
    assert bool(model.get_layer("image_encoder").trainable_weights) is fine_tune
    assert model.trainable_weights  # of the decoder at least


def test_a_build_is_what_the_config_says():
    config = {
        "task": "captioning",
        "data": {"source": {"kind": "shapes_captions"}, "splits": {"test": 0.3}},
        "build": {"records_per_shard": 7, "max_bad_fraction": 0.2, "workers": 2},
    }
    build = CaptioningTask(CaptioningConfig.model_validate(config)).prepare_build()
    assert build.source.kind == "shapes_captions"
    assert build.recipe.spec is CAPTION
    assert build.shares == {"validation": 0.1, "test": 0.3}
    assert (build.records_per_shard, build.max_bad_fraction) == (7, 0.2)


def test_weights_are_looked_for(tmp_path):
    path = tmp_path / "backbone.weights.h5"
    task = make_task(weights=path)
    with pytest.raises(UserError, match=r"model.image_encoder.weights: expected a file .*backbone"):
        task.check_model()
    path.touch()
    task.check_model()
    make_task(weights="imagenet").check_model()
