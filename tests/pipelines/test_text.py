import subprocess
import sys
from pathlib import Path

import pytest

from rnnpipe.pipelines import text_classes, text_pairs
from rnnpipe.records.directory import RecordsDirectory

ROOT = Path(__file__).resolve().parents[2]
PARALLEL = ["--source.kind", "parallel", "--source.source", "de", "--source.target", "en"]


def test_classes_are_built_and_reused(tmp_path, capsys, count_of):
    for label in ("neg", "pos"):
        (tmp_path / f"a.{label}").write_text("".join(f"{label} text {i}\n" for i in range(40)))
    arguments = ["--source.kind", "label_files", "--source.path", str(tmp_path)]
    arguments += ["--text.tokenizer", "char", "--directory", str(tmp_path / "records")]
    arguments += ["--repeats.duplicates", "drop"]
    assert text_classes.main(arguments) == 0
    printed = capsys.readouterr()
    records = RecordsDirectory.open(tmp_path / "records")
    assert count_of(printed.out, "train") == records.splits["train"]
    assert count_of(printed.out, "dead letters") == 0
    assert "80/80" in printed.err
    assert text_classes.main(arguments) == 0
    assert "holds these records already" in capsys.readouterr().out


def test_pairs_of_named_files_are_built_and_leaks_are_reported(tmp_path, capsys, count_of):
    for name, lines in (("a", ["eins", "zwei", "drei"]), ("b", ["zwei"])):
        for language in ("de", "en"):
            text = "".join(f"{line} {language}\n" for line in lines)
            (tmp_path / f"{name}.{language}").write_text(text)
    arguments = [*PARALLEL, "--source.path", str(tmp_path), "--splits.validation", "0.3"]
    arguments += ["--source.files", "{train: a, test: b}", "--directory", str(tmp_path / "records")]
    arguments += ["--text.joint", "false", "--text.tokenizer", "word"]
    assert text_pairs.main(arguments) == 0
    printed = capsys.readouterr().out
    assert count_of(printed, "test") == 1
    assert "Note: the pair of 1 of 1 test records is in " in printed
    assert RecordsDirectory.open(tmp_path / "records").splits["test"] == 1


@pytest.mark.parametrize(
    ("pipeline", "arguments", "message"),
    [
        (text_classes, ["--source.kind", "label_files"], "source.path: expected a path, got nothi"),
        (text_classes, ["--source.kind", "xml"], "--source.kind=xml: expected label_files, label_"),
        (text_pairs, PARALLEL, "--source.path: expected a path, got nothing; add --source.path"),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "no/such", "--", "--job_name=x"],
            "expected a folder with parallel text files, got nothing there",
        ),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "x", "--source.files", "train"],
            "--source.files=train: expected a mapping",
        ),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "x", "--text.max_tokens", "0"],
            "--text.max_tokens=0: expected a positive integer, got 0",
        ),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "x", "--records_per_shard", "two"],
            "--records_per_shard=two: expected a positive integer, got",
        ),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "x", "--splits.test", "0.6", "--splits.validation", "0.5"],
            "splits: expected shares of less than 1 together, got 0.5 and 0.6; make them smaller",
        ),
        (
            text_pairs,
            [*PARALLEL, "--source.path", "x", "--splits.test", "1.5"],
            "--splits.test=1.5: expected a number of at least 0 and below 1, got 1.5",
        ),
    ],
)
def test_mistakes_are_reported(pipeline, arguments, message, tmp_path, capsys):
    output = ["--directory", str(tmp_path / "records")]
    assert pipeline.main([*output, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize("pipeline", ["text_classes", "text_pairs"])
def test_help_documents_where_beams_options_go(pipeline):
    command = [sys.executable, "-m", f"rnnpipe.pipelines.{pipeline}", "--help"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "Options after `--` are Beam's own" in printed
