import gzip
from itertools import islice

import pytest
import tensorflow_datasets as tfds

from rnnpipe import cli
from rnnpipe.shipped import shipped_config
from tests.tfds_store import store_tfds

TINY = [
    "data.text.vocabulary=200",
    "model.embedding.size=8",
    "model.encoder.cell={kind: gru, units: 6}",
    "model.decoder.attention.units=7",
    "model.decoder.cell={kind: gru, units: 9}",
    "train.epochs=2",
    "train.batch_size=24",
    "train.optimizer.schedule.warmup_steps=1",
    "train.keep_best.average=2",
    "evaluate.search={beam_width: 2, n_best: 2, max_length: 8}",
]


def first_lines(folder, languages, raw):
    raw.mkdir()
    for name in ("train", "val", "test_2016_flickr"):
        for language in languages:
            with gzip.open(folder / f"{name}.{language}.gz", "rb") as file:
                (raw / f"{name}.{language}").write_bytes(b"".join(islice(file, 40)))
    return [f"data.source.path={raw}"]


def tiny_data_set(raw):
    """A data set of the name and the features that TensorFlow Datasets has."""
    news = [
        (i, {"de": f"Meldung Nummer {i} aus Berlin.", "en": f"Report number {i} from Berlin."})
        for i in range(60)
    ]
    languages = tfds.features.Translation(languages=("de", "en"))
    splits = {"train": news[:40], "validation": news[40:50], "test": news[50:]}
    store_tfds(raw, "wmt14_translate", languages, splits, config="de-en")
    return [f"data.source.path={raw}"]


def raw_data(name, raw, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    match name:
        case "translation":
            return ["data.source.pairs=120"]
        case "real/multi30k_de_en" | "real/multi30k_en_de":
            return first_lines(shared_data / "multi30k", ("de", "en"), raw)
        case "real/wmt14_de_en":
            return [*tiny_data_set(raw), "train.batch_tokens=200"]


@pytest.mark.parametrize(
    "name",
    ["translation", "real/multi30k_de_en", "real/multi30k_en_de", "real/wmt14_de_en"],
)
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data, capsys):
    config = shipped_config(name)
    run = run_tiny(config, [*TINY, *raw_data(name, tmp_path / "raw", shared_data)])
    assert {"bleu", "chrf", "exact", "perplexity"} <= run.scores.keys()
    for baseline in ("copy_of_the_source", "word_by_word"):
        assert 0 <= run.scores[f"baseline/{baseline}/bleu"] <= 100
    header = (run.folder / "history.csv").read_text().splitlines()[0]
    assert {"val_bleu", "val_perplexity", "learning_rate"} <= set(header.split(","))
    report = (run.folder / "report.html").read_text()
    assert "eff:no|tok:13a|smooth:exp" in report
    assert report.count("data:image/png;base64,") >= 10
    if name == "translation":
        assert "bleu/unseen_lengths" in run.scores
        check_predictions(run, tmp_path / "lines.txt", capsys)


def check_predictions(run, lines, capsys):
    """A user's text and file are answered as the test split was."""
    first, second = run.predictions[:2]
    text = ["--text", first["source"], "--n-best", "2"]
    assert cli.main(["predict", str(run.folder), *text]) == 0
    assert "probability" in capsys.readouterr().out
    assert (run.folder / "prediction.png").read_bytes().startswith(b"\x89PNG")
    lines.write_text(f"{first['source']}\n{second['source']}\n")
    assert cli.main(["predict", str(run.folder), "--input", str(lines), "--n-best", "2"]) == 0
    hypotheses = [
        line.split(" ||| ") for line in capsys.readouterr().out.splitlines() if "|||" in line
    ]
    assert [number for number, _, _ in hypotheses] == ["0", "0", "1", "1"]
    assert hypotheses[0][1] == first["prediction"]
    assert hypotheses[2][1] == second["prediction"]
    assert cli.main(["predict", str(run.folder)]) == 2
    assert "--text: expected an input of translation, got none" in capsys.readouterr().err
