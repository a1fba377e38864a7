"""Exports of models that read features: the backbone is part of their graphs."""

import json
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.runs.sample import make_score, record_calls
from rnnpipe.sources.images.decoding import StoredJpeg
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.tasks.image_encoders import make_encoder
from rnnpipe.tasks.image_inputs import encode_photo
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.transforms.build import Build
from tests.exports.exporting import export_model
from tests.exports.formats import WHOLE
from tests.exports.test_streams import clips, label_task, labels  # noqa: F401
from tests.tasks.video_labeling.test_prediction import build, features  # noqa: F401
from tests.transforms.recipes.backbone import SIDE

WORDS = {"what": 3, "colour": 2, "a": 2, "red": 1, "dog": 1}
MODELS: dict[str, Any] = {
    "vqa": {
        "embedding": {"size": 4},
        "question_encoder": {"cell": {"units": 5}},
        "fusion_units": 4,
        "attention": {"units": 6},
        "hidden_units": 7,
    },
    "captioning": {
        "embedding": {"size": 6},
        "decoder": {"cell": {"units": 7}, "attention": {"kind": "additive", "units": 5}},
    },
    "image_classification": {
        "reader": {"cell": {"units": 5}, "steps": 2, "attention": {"kind": "additive", "units": 4}}
    },
}
SOURCES = {
    "vqa": "shapes",
    "captioning": "shapes_captions",
    "image_classification": "cluttered_shapes",
}


def make(name, features, source=None):  # noqa: F811
    """A task of features, and a model of it that is not trained."""
    backbone = features.backbone
    values: dict[str, Any] = {
        "task": name,
        "data": {
            "source": {"kind": SOURCES[name], **(source or {})},
            "image": {"size": 2 * SIDE},
            "features": {
                "backbone": {
                    "kind": "application",
                    "name": backbone.name,
                    "weights": str(backbone.weights),
                    "options": dict(backbone.options),
                },
                "image_size": SIDE,
                "layer": features.layer,
                "batch_size": 4,
            },
        },
        "model": {"image_encoder": {"kind": "features", "units": 6}, **MODELS[name]},
    }
    if name == "captioning":
        values["evaluate"] = {"search": {"beam_width": 3, "n_best": 2, "max_length": 6}}
    task: Any = make_task(load_settings(find_schemas()[name], values))
    encoder = make_encoder(task.config.model.image_encoder, features.shape)
    keras.utils.set_random_seed(2)
    if name == "image_classification":
        return task, task._build_model(encoder, classes=3)
    vocabulary = 4 + len(WORDS)
    answers = {"answers": 3} if name == "vqa" else {}
    return task, task._build(encoder, vocabulary, **answers)


@pytest.fixture
def vocabulary(tmp_path):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    train_tokenizer(WORDS, kind="word", vocabulary=4 + len(WORDS)).save(folder)
    (folder / "answers.json").write_text(json.dumps(["red", "blue", "two"]))
    (folder / "labels.json").write_text(json.dumps(["circle", "square", "star"]))
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_an_export_reads_pixels(name, features, vocabulary, tmp_path):  # noqa: F811
    task, model = make(name, features)
    model.set_weights([3 * weight for weight in model.get_weights()])
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (40, 50, 3)).astype("uint8") // (n + 1) for n in range(5)]
    question = {"question": "what colour"} if name == "vqa" else {}
    rows = [{"image": image, **question} for image in images]
    for form in WHOLE:
        made = export_model(task, model, vocabulary, form, tmp_path / form)
        described = made.manifest.functions[made.run.function]
        assert described.inputs["image"] == ("uint8", [None, SIDE, SIDE, 3])
        expected = list(made.run.predict(rows))
        for batch_size in (2, 64):
            made.export.batch_size = batch_size
            for found, wanted in zip(made.export.predict(rows), expected, strict=True):
                assert [a.text for a in found.answers] == [a.text for a in wanted.answers]
                for answer, other in zip(found.answers, wanted.answers, strict=True):
                    assert answer.probability == pytest.approx(other.probability, abs=1e-5)
        assert len({str(prediction.answers) for prediction in expected}) > 1


@pytest.mark.parametrize("name", MODELS)
def test_an_export_is_checked_and_scored_with_the_images_of_records(name, features, tmp_path):  # noqa: F811
    task, _ = make(name, features, {"images": 40, "size": 40, "path": str(tmp_path / "raw")})
    plan = task.plan_build()
    plan.source.prepare(lambda done, total: None)
    records = Build.of(plan).run(tmp_path / "records")
    model = task.build_model(records)
    model.set_weights([3 * weight for weight in model.get_weights()])
    task.save_vocabulary(records, tmp_path / "vocabulary")
    network = task.make_network(model, tmp_path / "vocabulary")
    calls = record_calls(task, network, tmp_path / "vocabulary", records)
    assert not any(call.made_up for call in calls)
    scores = make_score(task, records)(network)
    assert task.main_metric in scores
    # The images that a predictor reads of a file are resized otherwise, and differ by rounding.
    stored = [StoredJpeg(row["image_jpeg"]) for row in records.read("test", ["image_jpeg"])]
    expected = np.stack([encode_photo(jpeg, task.config.data) for jpeg in stored])
    found = np.concatenate([call.arrays["image"] for call in calls])
    assert found.shape[1:] == (SIDE, SIDE, 3)
    if len(found) == len(expected):  # questions may share an image
        assert np.abs(found.astype(int) - expected).mean() < 2
    if name == "image_classification":
        labels = [row["label"] for row in records.read("test", ["label"])]
        right = network["call"]({"image": expected})["logits"].argmax(axis=1) == labels
        assert scores["accuracy"] == pytest.approx(right.mean(), abs=1 / len(labels) + 1e-9)


@pytest.mark.parametrize("form", WHOLE)
def test_videos_of_features_are_labeled_as_streams_too(
    form,
    features,  # noqa: F811
    label_task,  # noqa: F811
    labels,  # noqa: F811
    clips,  # noqa: F811
    tmp_path,
):
    label_task.config.data.features = features
    made = export_model(label_task, build(features=features), labels, form, tmp_path / "export")
    rows = [{"video": clip} for clip in clips]
    pairs = zip(made.export.predict(rows), made.run.predict(rows), strict=True)
    for row, (found, wanted) in zip(rows, pairs, strict=True):
        assert [each[:3] for each in found.timeline] == [each[:3] for each in wanted.timeline]
        assert list(made.export.stream(row)) == list(made.run.stream(row))
