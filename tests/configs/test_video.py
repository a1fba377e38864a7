import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import rnnpipe
from rnnpipe import cli
from rnnpipe.runs.records import find_records
from rnnpipe.shipped import shipped_config
from rnnpipe.sources.videos.decoding import read_video
from rnnpipe.sources.videos.framing import Framing
from tests.tfds_store import store_tfds

TINY = [
    "data.frames.size=16",
    "model.frame_encoder.units=4",
    "model.recurrence.cell.units=3",
    "train.epochs=1",
    "train.batch_size=4",
]
CNN = ["model.frame_encoder.image_encoder.channels=[3, 3]"]
FEATURES = [
    "data.features.backbone={kind: application, name: MobileNetV2, weights: none}",
    "data.features.backbone.options={alpha: 0.35}",
    "data.features.image_size=32",
    "model.frame_encoder.image_encoder={kind: features, units: null}",
]


def few_sentences(folder, raw):
    """Three sentences several times over: a word in one split is in the others too."""
    for name in ("clips", "align"):
        (raw / name).mkdir(parents=True)
        for path in sorted((folder / name).iterdir())[::100]:
            for copy in range(5):
                shutil.copyfile(path, raw / name / f"{path.stem}{copy}{path.suffix}")
    return [f"data.source.path={raw}", "data.splits.validation=0.3", "data.frames.rate=5"]


def tiny_data_set(folder, raw):
    """A data set with the features of TensorFlow Datasets' ucf101, of real clips."""
    features = {
        "video": tfds.features.Video(shape=(None, 32, 32, 3), encoding_format="jpeg"),
        "label": tfds.features.ClassLabel(names=["ApplyEyeMakeup", "BaseballPitch"]),
    }
    clips = []
    for label, name in enumerate(["v_Apply*", "Baseball*"]):
        (path,) = folder.glob(name)
        frames = [np.asarray(Framing(32, "stretch", box=None)(shown)) for shown in read_video(path)]
        clips += [(f"{label}{part}", frames[20 * part :][:20], label) for part in range(5)]
    examples = [(key, {"video": np.stack(video), "label": label}) for key, video, label in clips]
    store_tfds(raw, "ucf101", features, {"train": examples, "test": examples[::3]})
    return [
        "data.source.name=null",
        "train.optimizer.schedule.warmup_steps=1",
        f"data.source.path={raw / 'ucf101' / '1.0.0'}",
        "data.splits.validation=0.3",
    ]


def raw_data(name, raw, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    match name:
        case "video":
            return ["data.source.clips=30", "data.source.size=16", "data.splits.validation=0.2"]
        case "real/grid":
            return few_sentences(shared_data / "grid_s1", raw)
        case "real/ucf101":
            return tiny_data_set(shared_data / "video_misc", raw)


@pytest.mark.parametrize("name", ["video", "real/grid", "real/ucf101"])
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data, capsys):
    config = shipped_config(name)
    options = [*CNN, *TINY, *raw_data(name, tmp_path / "raw", shared_data)]
    baselines = ["majority", "cnn"]
    if name != "video":
        baselines.remove("cnn")
        options.append("train.baseline=false")
    run = run_tiny(config, options)
    metric = "clip_accuracy" if name == "real/ucf101" else "frame_accuracy"
    assert {key.split("/")[1] for key in run.scores if key.startswith("baseline/")} == {*baselines}
    for prefix in ("", *(f"baseline/{baseline}/" for baseline in baselines)):
        assert 0 <= run.scores[f"{prefix}{metric}"] <= 1
        assert 0 <= run.scores[f"{prefix}clip_map"] <= 1
    right = [row["clip_prediction"] == row["clip_label"] for row in run.predictions]
    assert run.scores["clip_accuracy"] == pytest.approx(sum(right) / len(right))
    assert "One of the worst: " in (run.folder / "report.html").read_text()
    if name == "video":
        check_predictions(run.folder, tmp_path / "cache", capsys)
        check_scores(rnnpipe.load(run.folder))


@pytest.mark.slow
def test_it_runs_end_to_end_on_features(run_tiny, tmp_path, capsys):
    settings = [*FEATURES, *TINY, *raw_data("video", None, None)]
    run = run_tiny(shipped_config("video"), settings)
    assert {key.split("/")[1] for key in run.scores if key.startswith("baseline/")} == {
        "majority",
        "features",
    }
    for prefix in ("", "baseline/features/"):
        assert 0 <= run.scores[f"{prefix}frame_accuracy"] <= 1
    report = (run.folder / "report.html").read_text()
    assert "is the same without recurrence" in report
    assert report.count("data:image/png;base64,") > 3  # film strips
    check_predictions(run.folder, tmp_path / "cache", capsys)


def check_scores(run):
    """The network alone has those scores that need its answers alone."""
    records = find_records(run.config, run.task)
    scores = run.task.score(run.predictor.network, records, "test")
    assert {"frame_accuracy", "clip_accuracy"} <= scores.keys()
    expected = {name: run.metrics["test"][name] for name in scores}
    assert scores == pytest.approx(expected, rel=1e-5, nan_ok=True)


def check_predictions(folder, cache, capsys):
    """As a whole and as a stream a clip has the same labels."""
    clip = next(cache.rglob("000001.mp4"))
    command = ["predict", str(folder), "--video", str(clip)]
    assert cli.main(command) == 0
    whole = capsys.readouterr().out
    with Image.open(folder / "prediction.png") as picture:
        assert picture.format == "PNG"
    assert cli.main([*command, "--stream"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.strip().splitlines()]
    rows = [line.split("│")[1:4] for line in whole.splitlines() if " s " in line]
    assert [(start, label) for start, _, label in lines if start != "clip:"] == [
        (start.split()[0], label.strip()) for start, _, label in rows
    ]
