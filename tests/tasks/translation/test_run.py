import json
from pathlib import Path

from rnnpipe import cli

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "translation.yaml"
TINY = [
    "data.source.pairs=120",
    "model.embedding.size=8",
    "model.encoder.units=6",
    "model.attention.units=7",
    "model.decoder.units=9",
    "train.epochs=2",
    "train.batch_size=24",
    "train.optimizer.schedule.warmup_steps=1",
    "train.keep_best.average=2",
    "evaluate.beam.width=2",
    "evaluate.beam.n_best=2",
    "evaluate.beam.max_length=8",
]


def rnnpipe(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_the_embedded_config_runs_from_raw_text_to_a_report(tmp_path, capsys):
    sets = [part for setting in TINY for part in ("--set", setting)]
    assert rnnpipe("run", CONFIG, *sets, "--runs-dir", tmp_path / "runs") == 0
    (run,) = (tmp_path / "runs" / "translation").iterdir()
    scores = json.loads((run / "metrics.json").read_text())["test"]
    assert {"bleu", "chrf", "exact", "perplexity", "bleu/unseen_lengths"} <= scores.keys()
    header = (run / "history.csv").read_text().splitlines()[0]
    assert {"val_bleu", "val_perplexity", "learning_rate"} <= set(header.split(","))
    rows = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    assert len({row["pair_id"] for row in rows}) == len(rows) > 10
    report = (run / "report.html").read_text()
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in report
    assert report.count("data:image/png;base64,") >= 16

    capsys.readouterr()
    text = rows[0]["source"]
    assert rnnpipe("predict", run, "--text", text, "--n-best", 2) == 0
    assert "probability" in capsys.readouterr().out
    assert (run / "prediction.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "lines.txt").write_text(f"{text}\n{rows[1]['source']}\n")
    assert rnnpipe("predict", run, "--file", tmp_path / "lines.txt", "--n-best", 2) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" ||| ")[0] for line in told if "|||" in line] == ["0", "0", "1", "1"]
    assert told[0].split(" ||| ")[1] == rows[0]["prediction"]
    assert rnnpipe("predict", run) == 2
    assert "--text: expected a text, or a --file of them" in capsys.readouterr().err
