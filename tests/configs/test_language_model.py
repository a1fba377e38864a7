import json
import math
import re

import pytest

from rnnpipe import cli
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.shipped import shipped_config
from rnnpipe.text.tokenizer import train_tokenizer

TINY = [
    "model.embedding.size=6",
    "model.recurrence.cell.units=6",
    "model.recurrence.learned_state=true",
    "train.bptt_length=64",
    "train.epochs=1",
    "train.batch_size=8",
    "evaluate.splits=[test]",
    "data.splits.test=0.2",
]


def raw_data(name, tmp_path, shared_data):
    """A tiny part of the raw data that a shipped config is for."""
    if name == "language_model":  # as small as it is, it is read whole
        return ["data.splits.validation=0.3", "data.splits.test=0.3"]
    if name == "real/tiny_shakespeare":
        path = tmp_path / "input.txt"
        whole = (shared_data / "tinyshakespeare" / "input.txt").read_text()
        path.write_text(whole[:20_000])
        return [f"data.source.path={path}"]
    if name == "real/transcripts":
        folder = tmp_path / "transcripts"
        folder.mkdir()
        for split in ("train", "validation", "test"):
            (folder / f"{split}.txt").write_text("The cat sat\na cat\nthe mat\n" * 20)
        tokenizer = train_tokenizer({"the": 3, "cat": 2, "mat": 1}, kind="char", vocabulary=20)
        tokenizer.save(folder)
        return [f"data.source.path={folder}", f"data.tokenizer={folder}"]
    text = (shared_data / "wikitext2" / "test.txt").read_text()
    articles = [match.start() for match in re.finditer(r"^ = [^=]+ = $", text, re.MULTILINE)]
    path = tmp_path / "wiki.txt"
    path.write_text("".join(text[at : at + 1500] + "\n" for at in articles[:20]))
    return [f"data.source.path={path}", "data.vocabulary=500"]


NAMES = ["language_model", "real/tiny_shakespeare", "real/transcripts", "real/wikitext2"]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_end_to_end(name, run_tiny, tmp_path, shared_data, capsys):
    run = run_tiny(shipped_config(name), [*TINY, *raw_data(name, tmp_path, shared_data)])
    records = RecordsDirectory.open(tmp_path / "records")
    texts = list(records.read("test"))
    assert [row["characters"] for row in run.predictions] == [len(row["text"]) for row in texts]
    bits = sum(row["bits_per_char"] * row["characters"] for row in run.predictions)
    characters = sum(row["characters"] for row in run.predictions)
    assert run.scores["bits_per_char"] == pytest.approx(bits / characters, rel=1e-3)
    assert run.scores["perplexity"] == pytest.approx(math.exp(run.scores["nats"]))
    for baseline in ("unigram", "bigram", "lzma", "gzip"):
        assert 0 < run.scores[f"baseline/{baseline}/bits_per_char"] < 9
    assert "Gradient flow" in (run.folder / "report.html").read_text()

    arguments = ["predict", run.folder, "--prompt", "The", "--length", "5"]
    assert cli.main(list(map(str, arguments))) == 0
    assert capsys.readouterr().out.lower().startswith("the")
    assert cli.main(["predict", str(run.folder), "--image", "a.png", "--top-k", "0"]) == 2
    errors = capsys.readouterr().err
    assert "--prompt: expected an input of language_model, got none" in errors
    assert "--top-k: expected a positive integer or null, got 0" in errors
    expected = "expected one of prompt, length, temperature, top-k, top-p, seed, got image"
    assert expected in errors
    assert cli.main([*map(str, arguments), "--top-k", "1", "--top-p", "0.5"]) == 0
    assert capsys.readouterr().out.lower().startswith("the")
    assert json.loads((run.folder / "vocabulary" / "symbols.json").read_text())["symbols"]
