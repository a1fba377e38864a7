import shutil
from itertools import islice

import pytest
import tensorflow_datasets as tfds
import yaml

from rnnpipe.shipped import shipped_config
from tests.tfds_store import store_tfds

TINY = [
    "model.embedding.size=4",
    "model.recurrence.cell.units=3",
    "train.epochs=2",
    "train.batch_size=16",
]


def first_lines(folder, names, raw):
    raw.mkdir()
    for name in names:
        with (folder / name).open("rb") as file:
            (raw / name).write_bytes(b"".join(islice(file, 60)))
    return [f"data.source.path={raw}"]


def few_reviews(folder, raw):
    for part in ("train/neg", "train/pos", "test/neg", "test/pos"):
        (raw / part).mkdir(parents=True)
        for path in sorted((folder / part).iterdir())[:20]:
            shutil.copyfile(path, raw / part / path.name)
    return [f"data.source.path={raw}", "data.text.max_tokens=30"]


def tiny_data_set(raw):
    """A data set of the name and the features that TensorFlow Datasets has."""
    features = {
        "text": tfds.features.Text(),
        "label": tfds.features.ClassLabel(names=["neg", "pos"]),
    }
    reviews = [
        (i, {"text": f"{('dull', 'moving')[i % 2]}, says reader {i}.", "label": i % 2})
        for i in range(60)
    ]
    store_tfds(raw, "imdb_reviews", features, {"train": reviews, "test": reviews[:10]})
    return ["data.source.name=null", f"data.source.path={raw / 'imdb_reviews' / '1.0.0'}"]


def raw_data(name, raw, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    match name:
        case "sentiment":
            return ["data.source.sentences=200", "train.ensemble_size=2", "train.r_drop=0.5"]
        case "real/rt_polarity":
            files = ("rt-polarity.neg", "rt-polarity.pos")
            return first_lines(shared_data / "rt_polarity", files, raw)
        case "real/trec":
            files = ("TREC.train", "TREC.test")
            return first_lines(shared_data / "trec_questions", files, raw)
        case "real/imdb_mini":
            return few_reviews(shared_data / "imdb_mini", raw)
        case "real/imdb":
            return tiny_data_set(raw)


@pytest.mark.parametrize(
    "name", ["sentiment", "real/rt_polarity", "real/trec", "real/imdb_mini", "real/imdb"]
)
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data):
    config = shipped_config(name)
    run = run_tiny(config, [*TINY, *raw_data(name, tmp_path / "raw", shared_data)])
    right = [row["prediction"] == row["label"] for row in run.predictions]
    assert run.scores["accuracy"] == pytest.approx(sum(right) / len(right))
    for baseline in ("majority", "bag_of_words"):
        assert 0 <= run.scores[f"baseline/{baseline}/accuracy"] <= 1
    report = (run.folder / "report.html").read_text()
    assert 'class="words"' in report
    members = sorted(path.parent.name for path in run.folder.rglob("members/*/history.csv"))
    train = yaml.safe_load((run.folder / "config.yaml").read_text())["train"]
    assert members == [str(number) for number in range(2, train["ensemble_size"] + 1)]
    assert ("Members" in report) == bool(members)
