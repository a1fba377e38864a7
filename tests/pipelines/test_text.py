import subprocess
import sys
from pathlib import Path

import pytest

from rnnpipe.pipelines import text_classes, text_pairs
from rnnpipe.records.directory import RecordsDirectory

ROOT = Path(__file__).resolve().parents[2]


def test_classes_are_built_and_reused(tmp_path, capsys, count_of):
    for label in ("neg", "pos"):
        (tmp_path / f"a.{label}").write_text("".join(f"{label} text {i}\n" for i in range(40)))
    arguments = ["--source", "label_files", "--path", str(tmp_path), "--tokenizer", "char"]
    arguments += ["--output", str(tmp_path / "records"), "--drop-duplicates"]
    assert text_classes.main(arguments) == 0
    told = capsys.readouterr()
    records = RecordsDirectory.open(tmp_path / "records")
    assert count_of(told.out, "train") == records.splits["train"]
    assert count_of(told.out, "dead letters") == 0
    assert "80/80" in told.err
    assert text_classes.main(arguments) == 0
    assert "holds these records already" in capsys.readouterr().out


def test_pairs_of_named_files_are_built_and_leaks_are_told(tmp_path, capsys, count_of):
    for name, lines in (("a", ["eins", "zwei", "drei"]), ("b", ["zwei"])):
        for language in ("de", "en"):
            text = "".join(f"{line} {language}\n" for line in lines)
            (tmp_path / f"{name}.{language}").write_text(text)
    arguments = ["--path", str(tmp_path), "--from", "de", "--to", "en", "--validation", "0.3"]
    arguments += ["--files", "train=a", "test=b", "--output", str(tmp_path / "records")]
    assert text_pairs.main([*arguments, "--separate", "--tokenizer", "word"]) == 0
    told = capsys.readouterr().out
    assert count_of(told, "test") == 1
    assert "Note: the pair of 1 of 1 test records is in " in told
    assert RecordsDirectory.open(tmp_path / "records").splits["test"] == 1


@pytest.mark.parametrize(
    ("pipeline", "arguments", "told"),
    [
        (text_classes, ["--source", "label_files"], "--path: expected the folder of raw data"),
        (text_classes, ["--source", "xml", "--path", "x"], "--source: expected label_files, lab"),
        (text_pairs, ["--from", "de", "--to", "en"], "--path: expected the folder of raw data"),
        (
            text_pairs,
            ["--from", "de", "--to", "en", "--path", "no/such", "--", "--job_name=x"],
            "expected a folder with parallel text files, got nothing there",
        ),
        (
            text_pairs,
            ["--source", "tmx", "--from", "de", "--to", "en", "--path", "x"],
            "--source: expected parallel, table or tfds:<name>, got tmx",
        ),
    ],
)
def test_mistakes_are_told(pipeline, arguments, told, tmp_path, capsys):
    output = ["--output", str(tmp_path / "records")]
    assert pipeline.main([*output, *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "records").exists()


def test_files_are_named_with_an_equals_sign(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        text_pairs.main(["--from", "a", "--to", "b", "--output", str(tmp_path), "--files", "train"])
    assert exit_.value.code == 2
    assert "'train' is not NAME=FILE" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--max-tokens", "--vocabulary", "--records-per-shard"])
@pytest.mark.parametrize("number", ["0", "-3", "two"])
def test_counts_are_positive(option, number, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        text_pairs.main(["--from", "a", "--to", "b", "--output", str(tmp_path), option, number])
    assert exit_.value.code == 2
    told = f"argument {option}: expected a whole number of at least 1, got {number}"
    assert told in capsys.readouterr().err


def test_shares_leave_something_to_train_on(tmp_path, capsys):
    for label in ("neg", "pos"):
        (tmp_path / f"a.{label}").write_text("text\n")
    arguments = ["--source", "label_files", "--path", str(tmp_path)]
    arguments += ["--output", str(tmp_path / "records")]
    assert text_classes.main([*arguments, "--validation", "0.6", "--test", "0.5"]) == 2
    told = "--validation, --test: expected shares of less than 1 together, got 0.6 and 0.5; make"
    assert told in capsys.readouterr().err
    with pytest.raises(SystemExit):
        text_classes.main([*arguments, "--test", "1.5"])
    assert "expected a number of at least 0 and below 1, got 1.5" in capsys.readouterr().err


@pytest.mark.parametrize("pipeline", ["text_classes", "text_pairs"])
def test_help_says_where_beams_options_go(pipeline):
    command = [sys.executable, "-m", f"rnnpipe.pipelines.{pipeline}", "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "Options after `--` are Beam's own" in told
