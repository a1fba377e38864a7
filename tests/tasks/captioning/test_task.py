from types import SimpleNamespace

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.records.specs import CAPTION
from rnnpipe.runs.checks import check_training
from rnnpipe.tasks.captioning.config import CaptioningConfig
from rnnpipe.tasks.captioning.task import CaptioningTask
from rnnpipe.transforms.recipes.tokenization import TextOptions


def make_task(image_encoder=None, **sections):
    settings = {
        "task": "captioning",
        "data": {"source": {"kind": "shapes_captions"}, "image": {"size": 32}},
        "model": {
            "image_encoder": image_encoder or {"kind": "cnn", "channels": [4]},
            "embedding": {"size": 4},
            "decoder": {"cell": {"kind": "lstm", "units": 5}, "attention": None},
        },
        **sections,
    }
    return CaptioningTask(load_settings(CaptioningConfig, settings))


def mobilenet(**options):
    backbone = {"kind": "application", "name": "mobilenet_v2", **options}
    return {"kind": "backbone", "backbone": backbone}


@pytest.fixture
def records(tmp_path):
    TextOptions(vocabulary=20).train({"circle": 2, "red": 1}).save(tmp_path)
    return SimpleNamespace(path=tmp_path, splits={"train": 25, "validation": 9, "test": 9})


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_is_trained_as_configured(records, fine_tune):
    task = make_task({**mobilenet(weights="none"), "fine_tune": fine_tune})
    model = task.build_model(records)
    assert bool(model.get_layer("image_encoder").trainable_weights) is fine_tune
    assert model.trainable_weights  # of the decoder at least


def test_a_build_has_the_settings_of_the_config():
    data = {"source": {"kind": "shapes_captions"}, "splits": {"test": 0.3}}
    build = {"records_per_shard": 7, "max_bad_fraction": 0.2, "workers": 2}
    made = make_task(data=data, build=build).plan_build()
    assert made.source.kind == "shapes_captions"
    assert made.recipe.spec is CAPTION
    assert made.shares == {"validation": 0.1, "test": 0.3}
    assert (made.records_per_shard, made.max_bad_fraction) == (7, 0.2)


@pytest.mark.parametrize(
    ("encoder", "size", "message"),
    [
        (
            mobilenet(weights="backbone.weights.h5"),
            32,
            r"model.image_encoder.backbone.weights: expected a file backbone.weights.h5",
        ),
        (mobilenet(weights="none"), 31, r"model.image_encoder.backbone: .* at least 32x32"),
        (
            {"kind": "backbone", "backbone": {"kind": "saved", "path": "no.keras"}},
            32,
            r"model.image_encoder.backbone.path: expected a file no.keras",
        ),
        (
            {"kind": "backbone", "backbone": {"kind": "application", "name": "nonsense"}},
            32,
            r"model.image_encoder.backbone.name: expected a network of keras.applications",
        ),
    ],
)
def test_a_backbone_that_cannot_be_made_is_an_error_before_the_build(encoder, size, message):
    data = {"source": {"kind": "shapes_captions"}, "image": {"size": size}}
    with pytest.raises(UserError, match=message):
        make_task(encoder, data=data).check_model()


def test_parts_that_do_not_fit_are_an_error_before_the_build():
    decoder = {"cell": {"kind": "lstm", "units": 5}, "attention": {"kind": "dot"}}
    model = {"image_encoder": {"kind": "cnn", "channels": [4]}, "decoder": decoder}
    with pytest.raises(UserError, match="expected as many features in the query as in the memory"):
        make_task(model=model).check_model()
    make_task().check_model()


def test_a_beam_is_no_wider_than_the_vocabulary(records):
    task = make_task(evaluate={"search": {"beam_width": 300, "n_best": 3}})
    with pytest.raises(UserError, match=r"search\.beam_width: expected at most the vocab"):
        task.check_records(records)


@pytest.mark.parametrize("key", ["train", "train.self_critical"])
def test_a_warm_up_is_within_its_own_training(records, key):
    def train(warmup):
        training = {
            "epochs": 2,
            "batch_size": 10,
            "optimizer": {
                "kind": "adam",
                "schedule": {"kind": "constant", "warmup_steps": warmup},
            },
        }
        return training if key == "train" else {"epochs": 99, "self_critical": training}

    task = make_task(train=train(6))
    check_training(task.config, task, records)
    task = make_task(train=train(7))
    message = rf"^{key}\.optimizer\.schedule\.warmup_steps: expected at most the 6 steps of .*got 7"
    with pytest.raises(UserError, match=message):
        check_training(task.config, task, records)


def test_a_banned_token_must_be_of_the_vocabulary(records):
    constraints = {"banned_tokens": ["circel"]}
    task = make_task(evaluate={"search": {"constraints": constraints}})
    message = r"evaluate\.search\.constraints: expected tokens of the vocabulary, got circel"
    with pytest.raises(UserError, match=message):
        task.check_records(records)


def test_scheduled_sampling_is_a_callback(records, tmp_path, monkeypatch):
    decoder = {
        "cell": {"kind": "lstm", "units": 5},
        "attention": {"kind": "additive", "units": 4},
        "scheduled_sampling": {"kind": "linear", "steps": 10, "final": 0.5},
    }
    model = {"image_encoder": {"kind": "cnn", "channels": [4]}, "decoder": decoder}
    task = make_task(model=model)
    monkeypatch.setattr(task, "_scores", lambda *arguments: SimpleNamespace(decode_scores=None))
    model = task.build_model(records)
    sampling, *_ = task.make_callbacks(None, model, records, tmp_path / "weights")
    assert sampling.decoder is model.get_layer("decoder")
    assert [sampling.schedule(step) for step in (0, 5, 20)] == [0.0, 0.25, 0.5]
