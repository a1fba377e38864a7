import numpy as np
import pytest
from PIL import Image

from rnnpipe import cli
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.shipped import shipped_config

NAME = "glimpse"
CONFIG = shipped_config(NAME)
TINY = [
    "data.source.images=90",
    "data.source.size=32",
    "data.image.size=32",
    "model.reader.cell.units=5",
    "model.reader.steps=3",
    "train.epochs=1",
    "train.batch_size=16",
]


CNN = ["model.image_encoder.channels=[4, 4]"]
SOFT = ["model.reader.attention.units=4"]
HARD = ["model.reader.attention={kind: hard, mechanism: {kind: additive, units: 4}}"]
FEATURES = [
    *SOFT,
    "data.features.backbone={kind: application, name: MobileNetV2, weights: none}",
    "data.features.backbone.options={alpha: 0.35}",
    "data.features.image_size=64",
    "model.image_encoder={kind: features, units: 5}",
]


@pytest.mark.parametrize(
    ("settings", "baseline"),
    [
        ([*CNN, *SOFT], "cnn"),
        pytest.param([*CNN, *HARD], "cnn", marks=pytest.mark.slow),
        pytest.param(FEATURES, "features", marks=pytest.mark.slow),
    ],
    ids=["soft", "hard", "features"],
)
def test_it_runs_end_to_end(settings, baseline, run_tiny, tmp_path, capsys):
    path = f"data.source.path={tmp_path / 'raw'}"
    run = run_tiny(CONFIG, [*TINY, path, *settings])
    assert f"baseline/{baseline}/accuracy" in run.scores
    records = RecordsDirectory.open(tmp_path / "records")
    counts = np.bincount([row["label"] for row in records.read("train", ["label"])])
    majority = [row["label"] == records.labels[counts.argmax()] for row in run.predictions]
    assert run.scores["baseline/majority/accuracy"] == pytest.approx(np.mean(majority))
    right = [row["prediction"] == row["label"] for row in run.predictions]
    assert run.scores["accuracy"] == pytest.approx(sum(right) / len(right))
    assert all(len(row["path"]) == 3 for row in run.predictions)
    photo, picture = tmp_path / "photo.png", tmp_path / "path.png"
    Image.new("RGB", (50, 40), "white").save(photo)
    arguments = ["predict", run.folder, "--image", photo, "--picture", picture]
    assert cli.main([str(argument) for argument in arguments]) == 0
    assert "answer" in capsys.readouterr().out
    with Image.open(picture) as drawn:
        assert drawn.width > 100
