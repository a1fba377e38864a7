import json
import shutil

import pytest
import yaml

from rnnpipe.shipped import shipped_config

TINY = [
    "data.image.size=32",
    "build.max_bad_fraction=0.2",
    "model.embedding.size=4",
    "model.question_encoder.cell.units=5",
    "model.fusion_units=4",
    "model.attention.units=6",
    "model.hidden_units=7",
    "train.epochs=2",
    "train.optimizer.schedule.warmup_steps=1",
    "train.batch_size=8",
]

PIXELS = ["model.image_encoder.channels=[4, 4]"]
FEATURES = [
    "data.features.backbone={kind: application, name: MobileNetV2, weights: none}",
    "data.features.backbone.options={alpha: 0.35}",
    "data.features.image_size=32",
    "model.image_encoder.units=5",
]


def raw_data(config, tmp_path, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    kind = yaml.safe_load(config.read_text())["data"]["source"]["kind"]
    if kind == "shapes":
        return [*PIXELS, "data.source.images=30", "data.source.questions_per_image=3"]
    if kind == "vqa_v2":
        return [*FEATURES, f"data.source.path={shared_data / 'coco_mini' / 'vqa'}"]
    folder = tmp_path / "easy_vqa"
    for part in ("train", "test"):
        (folder / part / "images").mkdir(parents=True)
        questions = json.loads((shared_data / "easy_vqa" / part / "questions.json").read_text())
        few = sorted({image for _, _, image in questions})[:10]
        (folder / part / "questions.json").write_text(
            json.dumps([question for question in questions if question[2] in few])
        )
        for number in few:
            name = f"{part}/images/{number}.png"
            shutil.copyfile(shared_data / "easy_vqa" / name, folder / name)
    return [*PIXELS, f"data.source.path={folder}"]


@pytest.mark.parametrize("name", ["vqa", "real/easy_vqa", "real/vqa_v2"])
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data):
    config = shipped_config(name)
    run = run_tiny(config, [*TINY, *raw_data(config, tmp_path, shared_data)])
    for baseline in ("most_frequent", "most_frequent_per_question_type", "blank_image"):
        score = run.scores[f"baseline/{baseline}/vqa_accuracy"]
        assert 0 <= score <= run.scores["vqa_accuracy_ceiling"] <= 1
    mean = sum(row["vqa_accuracy"] for row in run.predictions) / len(run.predictions)
    assert run.scores["vqa_accuracy"] == pytest.approx(mean)
