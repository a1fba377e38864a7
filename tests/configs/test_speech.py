import csv
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import rnnpipe
from rnnpipe import cli
from rnnpipe.runs.records import find_records
from rnnpipe.shipped import shipped_config
from tests.sources.audio.writing import tone, write_wav
from tests.tfds_store import store_tfds

TINY = [
    "model.subsampling.filters=2",
    "model.encoder.cell.units=3",
    "train.epochs=1",
    "train.batch_size=4",
    "train.optimizer.schedule.warmup_steps=1",
]
TINY_DECODER = [
    "model.output.embedding.size=4",
    "model.output.decoder.cell.units=5",
    "model.output.decoder.attention={kind: location, units: 4, filters: 2, kernel_size: 3}",
    "evaluate.search.beam_width=2",
    "evaluate.search.max_length=6",
    "train.keep_best.average=2",
    "train.epochs=2",
]


def few_sentences(folder, raw):
    (raw / "audio").mkdir(parents=True)
    with (folder / "utterances.csv").open() as file:
        rows = list(csv.DictReader(file))[::40]
    with (raw / "utterances.csv").open("w") as file:
        table = csv.DictWriter(file, ["file", "split", "sentence"])
        table.writeheader()
        for number, row in enumerate(rows):
            split = ("train", "train", "val", "test")[number % 4]
            table.writerow({**row, "split": split})
            shutil.copyfile(folder / row["file"], raw / row["file"])
    return [f"data.source.path={raw}"]


def few_digits(folder, raw):
    (raw / "recordings").mkdir(parents=True)
    for path in sorted((folder / "recordings").glob("[0-2]_theo_*")):
        if int(path.stem.split("_")[-1]) < 10:
            shutil.copyfile(path, raw / "recordings" / path.name)
    return [f"data.source.path={raw}", "data.splits.validation=0.3"]


def tiny_data_set(raw):
    """A data set with the features of TensorFlow Datasets' speech_commands."""
    features = {
        "audio": tfds.features.Audio(file_format="wav", sample_rate=16000),
        "label": tfds.features.ClassLabel(names=["go", "stop"]),
    }
    random = np.random.default_rng(0)
    examples = [
        (str(n), {"audio": random.integers(-99, 99, 4000).astype("int64"), "label": n % 2})
        for n in range(8)
    ]
    splits = {"train": examples[:4], "validation": examples[4:6], "test": examples[6:]}
    store_tfds(raw, "speech_commands", features, splits)
    path = raw / "speech_commands" / "1.0.0"
    return [f"data.source.path={path}", "data.source.name=null"]


def few_chapters(raw):
    for number, subset in enumerate(("train-clean-100", "dev-clean", "test-clean")):
        chapter = raw / subset / f"{number}" / "7"
        texts = []
        for line in range(4 if number == 0 else 2):
            name = f"{number}-7-{line:04d}"
            write_wav(chapter / f"{name}.flac", tone(0.6, 16000, 200 + 90 * line), 16000)
            texts.append(f"{name} A BOOK OF {'SOME ' * line}WORDS")
        (chapter / f"{number}-7.trans.txt").write_text("\n".join(texts) + "\n")
    return [f"data.source.path={raw}", "build.workers=1", "data.text.vocabulary=30", *TINY_DECODER]


def raw_data(name, raw, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    match name:
        case "speech":
            return ["data.source.utterances=12", "evaluate.search.beam_width=2"]
        case "real/grid_audio":
            return few_sentences(shared_data / "grid_s1_audio", raw)
        case "real/spoken_digits":
            return few_digits(shared_data / "spoken_digits", raw)
        case "real/speech_commands":
            return tiny_data_set(raw)
        case "real/librispeech":
            return few_chapters(raw)


@pytest.mark.parametrize(
    "name",
    [
        "speech",
        "real/grid_audio",
        "real/spoken_digits",
        "real/speech_commands",
        "real/librispeech",
    ],
)
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data, capsys):
    options = [*TINY, *raw_data(name, tmp_path / "raw", shared_data)]
    if name != "speech":
        options.append("train.baseline=false")
    run = run_tiny(shipped_config(name), options)
    baselines = {"most_frequent_text", *(["without_recurrence"] if name == "speech" else [])}
    assert {key.split("/")[1] for key in run.scores if key.startswith("baseline/")} == baselines
    wrong = [row["prediction"] != row["reference"] for row in run.predictions]
    assert run.scores["ser"] == pytest.approx(np.mean(wrong))
    report = (run.folder / "report.html").read_text()
    assert ("data:audio/wav;base64," in report) == (name != "real/librispeech")
    if name == "speech":
        check_prediction(run, tmp_path / "cache", capsys)
        check_scores(rnnpipe.load(run.folder))


def check_scores(run):
    """The network alone has those scores that need its answers alone."""
    records = find_records(run.config, run.task)
    scores = run.task.score(run.predictor.network, records, "test")
    assert {"wer", "cer", "ser"} <= scores.keys()
    expected = {name: run.metrics["test"][name] for name in scores}
    assert scores == pytest.approx(expected, rel=1e-5, nan_ok=True)


def check_prediction(run, cache, capsys):
    """A file of the test split has its text, a picture and, where it is one, a stream."""
    (row, *_) = run.predictions
    sound = next(cache.rglob(row["utterance_id"]))
    assert cli.main(["predict", str(run.folder), "--audio", str(sound), "--format", "jsonl"]) == 0
    assert f'"prediction": "{row["prediction"]}"' in capsys.readouterr().out
    assert cli.main(["predict", str(run.folder), "--audio", str(sound)]) == 0
    with Image.open(run.folder / "prediction.png") as picture:
        assert picture.format == "PNG"
    assert cli.main(["predict", str(run.folder), "--audio", str(sound), "--stream"]) == 2
    assert "reads forwards" in capsys.readouterr().err
