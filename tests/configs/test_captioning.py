import json
import shutil
from pathlib import Path

import pytest

from rnnpipe import cli
from rnnpipe.metrics import captions
from rnnpipe.shipped import shipped_config

TINY = [
    "data.image.size=32",
    "data.caption.min_count=1",
    "build.max_bad_fraction=0.2",
    "model.embedding.size=6",
    "model.decoder.cell.units=7",
    "train.epochs=2",
    "train.optimizer.schedule.warmup_steps=1",
    "train.batch_size=12",
    "evaluate.search={beam_width: 2, n_best: 2, max_length: 6}",
    "train.self_critical={epochs: 1, batch_size: 12, samples: 2}",
    "evaluate.java_metrics=[meteor]",
]
PIXELS = ["model.image_encoder.channels=[4, 4]"]
GATED = ["model.decoder.attention.mechanism.units=5"]
BACKBONE = "{kind: application, name: MobileNetV2, weights: none, options: {alpha: 0.35}}"
FEATURES = [
    "model.image_encoder.units=6",
    f"data.features={{backbone: {BACKBONE}, image_size: 32}}",
]
BASELINES = ("most_frequent", "nearest_colours", "random")


def first_photos(folder, raw):
    """A few of each split's photos, with their captions."""
    (raw / "images").mkdir(parents=True)
    names = set()
    for split in ("train", "dev", "test"):
        name = f"Flickr_8k.{split}Images.txt"
        few = (folder / name).read_text().splitlines(keepends=True)[:16]
        (raw / name).write_text("".join(few))
        names |= {line.strip() for line in few}
    for name in names:
        shutil.copyfile(folder / "images" / name, raw / "images" / name)
    lines = (folder / "Flickr8k.token.txt").read_text().splitlines(keepends=True)
    kept = [line for line in lines if line.partition("#")[0] in names]
    (raw / "Flickr8k.token.txt").write_text("".join(kept))


def raw_data(name, raw, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    match name:
        case "captioning":
            return [*PIXELS, *GATED, "data.source.images=60"]
        case "real/flickr8k":
            first_photos(shared_data / "flickr8k_mini", raw)
            return [*FEATURES, *GATED, f"data.source.path={raw}"]
        case "real/coco":
            path = shared_data / "coco_mini"
            source = f"data.source={{kind: coco_captions, path: {path}}}"
            return [*FEATURES, "model.decoder.attention.units=5", source]


@pytest.mark.parametrize("name", ["captioning", "real/flickr8k", "real/coco"])
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data, capsys, monkeypatch):
    monkeypatch.setattr(captions, "_java_version", lambda: None)
    config = shipped_config(name)
    results = "captions_test_results.json"
    settings = [*TINY, *raw_data(name, tmp_path / "raw", shared_data)]
    run = run_tiny(config, settings, more={results})
    for prefix in ("", *(f"baseline/{name}/" for name in BASELINES)):
        assert 0 <= run.scores[f"{prefix}bleu_4"] <= run.scores[f"{prefix}bleu_1"] <= 1
        assert 0 <= run.scores[f"{prefix}cider_d"] <= 10
    assert run.scores["perplexity"] > 1
    assert json.loads((run.folder / results).read_text()) == [
        {"image_id": row["image_id"], "caption": row["prediction"]} for row in run.predictions
    ]
    report = (run.folder / "report.html").read_text()
    assert report.count("data:image/png;base64,") >= min(len(run.predictions), 8)
    if name == "captioning":
        true = [row["true"] for row in run.predictions]
        assert run.scores["true_captions"] == pytest.approx(sum(true) / len(true))
    assert "Further training: self critical" in report
    events = {path.parent.relative_to(run.folder) for path in run.folder.rglob("events.out.*")}
    phase = Path("tensorboard/phases/self_critical/train")
    assert events >= {Path("tensorboard/train"), phase}
    notice = "METEOR is left out: it needs Java, and no program `java` runs"
    assert f"Note: {notice}" in run.printed.replace("\n", " ")
    assert notice in report
    check_predict(run, shared_data, capsys)


def check_predict(run, shared_data, capsys):
    """A user's own photo is captioned, and shown as often as the caption has words."""
    photo = next((shared_data / "flickr8k_mini" / "images").glob("*.jpg"))
    assert cli.main(["predict", str(run.folder), "--image", str(photo), "--n-best", "2"]) == 0
    assert "probability" in capsys.readouterr().out
    assert (run.folder / "prediction.png").read_bytes().startswith(b"\x89PNG")
    prefix = ["--prefix", run.predictions[0]["captions"][0].split()[0]]
    assert cli.main(["predict", str(run.folder), "--image", str(photo), *prefix]) == 0
    assert prefix[1].lower() in capsys.readouterr().out
    assert cli.main(["predict", str(run.folder), "--image", "no.jpg"]) == 2
    assert "--image no.jpg: expected an image that can be read" in capsys.readouterr().err
