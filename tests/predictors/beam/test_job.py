"""Batch prediction: what it writes does not depend on workers, and is whole or not there."""

import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnnpipe.cli import main
from rnnpipe.pipelines.predict import main as pipeline
from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.runners.runner import LostWorkerError, Runner
from tests.predictors.beam.conftest import read_letters, read_rows, read_summary
from tests.predictors.beam.handmade import sentence
from tests.transforms.kinds import contents
from tools.cluster.fault_injectors import children, descendants

FORMATS = ("jsonl", "csv", "tsv", "parquet")
CANNOT_IMPORT = "raise AssertionError(f'{__name__} is imported')\n"


def write_table(path: Path, amount: int, broken: int = 0) -> dict[str, str]:
    """Writes a CSV table, of which some rows are broken; returns the reasons by row."""
    lines, reasons = [b"id,text"], {}
    for number in range(1, amount + 1):
        lines.append(f'{number},"{sentence(number)}"'.encode())
        if number * broken // amount > (number - 1) * broken // amount:
            kinds: list[tuple[bytes, str]] = [
                (b"%d,\xff", "byte 0xff at"),
                (b"%d,a,b", "3 fields where 2 columns are named"),
                (b"%d,", "expected a text, got"),
            ]
            line, reasons[str(number)] = kinds[len(reasons) % 3]
            lines[-1] = line % number
    path.write_bytes(b"\n".join(lines) + b"\n")
    return reasons


@pytest.mark.parametrize("form", FORMATS)
def test_one_two_and_three_workers_write_equal_bytes(form, predict, tmp_path):
    write_table(tmp_path / "rows.csv", 100, broken=4)
    few = ("--rows-per-shard", 16, "--format", form, "--input", "rows.csv")
    for workers in (1, 2, 3):
        output = f"out{workers}"
        assert predict(*few, "--workers", workers, output=output) == 1
    written = contents(tmp_path / "out1")
    assert len(written) == 7 + 3
    assert contents(tmp_path / "out2") == contents(tmp_path / "out3") == written


def test_shards_put_together_are_what_is_predicted_without_a_job(predict, export, tmp_path):
    lines = [sentence(number) for number in range(1, 60)]
    lines[7] = ""
    (tmp_path / "texts.txt").write_text("\n".join(lines) + "\n")
    for form in ("jsonl", "csv", "tsv"):
        few = ("--rows-per-shard", 9, "--format", form, "--input", "texts.txt")
        assert predict(*few, output=form) == 0
        shards = sorted((tmp_path / form).glob(f"predictions-*-of-00007.{form}"))
        header = "" if form == "jsonl" else shards[0].read_text().splitlines(keepends=True)[0]
        joined = header + "".join(path.read_text().removeprefix(header) for path in shards)
        command = ["predict", str(export), "--input", "texts.txt", "--output", f"local.{form}"]
        assert main(command) == 0
        assert joined == (tmp_path / f"local.{form}").read_text()


def test_parquet_has_the_values_of_json_lines(predict, tmp_path):
    write_table(tmp_path / "rows.csv", 20)
    for form in ("jsonl", "parquet"):
        assert predict("--input", "rows.csv", "--format", form, output=form) == 0
    table = pq.read_table(tmp_path / "parquet" / "predictions-00000-of-00001.parquet").to_pylist()
    for found, row in zip(table, read_rows(tmp_path / "jsonl"), strict=True):
        assert (found["row"], found["id"], found["text"]) == (row["row"], *row["inputs"].values())
        assert found["prediction"] == row["prediction"]
        assert found["probability"] == row["answers"][0]["probability"]
        assert [{**answer, "score": None} for answer in row["answers"]] == found["answers"]
        assert (found["timeline"], found["notes"]) == ([], row.get("notes", []))
    assert any(found["notes"] for found in table)
    # What was written is an input too, and its own columns are passed on with a prefix.
    assert predict("--input", "parquet/*.parquet", "--format", "parquet", output="again") == 0
    (again,) = (tmp_path / "again").glob("*.parquet")
    assert {"row", "input.row", "input.answers"} <= set(pq.read_schema(again).names)


def test_each_broken_row_is_named_and_all_are_counted(predict, tmp_path, capsys, read_counters):
    reasons = write_table(tmp_path / "rows.csv", 600, broken=6)
    assert predict("--input", "rows.csv", "--rows-per-shard", 50) == 1
    letters, summary = read_letters(tmp_path / "out"), read_summary(tmp_path / "out")
    assert [letter["key"] for letter in letters] == list(reasons)
    for letter in letters:
        assert letter["source"] == f"rows.csv, line {int(letter['key']) + 1}"
        assert reasons[letter["key"]] in letter["reason"]
    assert summary["dead_letters"] == {"read row": 4, "predict row": 2}
    assert (summary["read"], summary["predicted"]) == (600, 594)
    rows = read_rows(tmp_path / "out")
    assert [row["row"] for row in rows] == [n for n in range(1, 601) if str(n) not in reasons]
    assert sum(shard["predicted"] for shard in summary["shards"]) == len(rows)
    assert {"rows_predicted": 594, "dead_letters": 6}.items() <= read_counters().items()
    captured = capsys.readouterr()
    assert "out: 600 rows read, 594 predicted, 6 dead letters, 12 files" in captured.out
    assert "4 x read row: " in captured.err


def test_too_many_broken_rows_publish_nothing(predict, tmp_path, capsys):
    write_table(tmp_path / "rows.csv", 100, broken=6)
    assert predict("--input", "rows.csv") == 2
    message = (
        "--max-bad-fraction: expected at most 0.05 of the rows to have no prediction, got 6 of"
    )
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["rows.csv"]
    assert predict("--input", "rows.csv", "--max-bad-fraction", 0.06) == 1


def test_rows_that_are_lost_publish_nothing(predict, tmp_path, capsys, monkeypatch):
    write_table(tmp_path / "rows.csv", 20)
    read = "rnnpipe.predictors.beam.job.read_rows"
    monkeypatch.setattr(read, lambda number, reader, folder: [])
    assert predict("--input", "rows.csv") == 2
    assert "expected 20 rows from row 1 on, predicted or dead letters, got 0" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def test_a_worker_that_is_killed_changes_nothing(predict, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnpipe.transforms.runners.runner._GRACE_SECONDS", 0.5)
    write_table(tmp_path / "rows.csv", 5000)
    few = ("--input", "rows.csv", "--rows-per-shard", 50)
    assert predict(*few, output="whole") == 0
    done: list[int] = []

    def kill() -> None:
        """Kills a worker when the first shards are done."""
        deadline = time.monotonic() + 120
        while not done and time.monotonic() < deadline:
            shards = [*tmp_path.glob("out.incomplete-*/out/scratch/results/*.json")]
            workers = [pid for each in children(os.getpid()) for pid in descendants(each)]
            if shards and workers:
                os.kill(workers[0], signal.SIGKILL)
                done.append(len(shards))
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    assert predict(*few, "--workers", 2) == 0
    killer.join()
    assert 0 < done[0] < 100
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_workers_that_are_lost_again_and_again_end_the_job(predict, tmp_path, monkeypatch, capsys):
    attempts = []

    @contextmanager
    def open_lost(runner: Runner):
        def run(construct: object) -> None:
            attempts.append(construct)
            raise LostWorkerError("build.workers", "all to live", "one that was killed", "again")

        yield run

    monkeypatch.setattr(Runner, "open", open_lost)
    write_table(tmp_path / "rows.csv", 20)
    assert predict("--input", "rows.csv", "--workers", 2) == 2
    assert "--workers: expected all to live, got one that was killed; predict" in (
        capsys.readouterr().err
    )
    assert len(attempts) == 3
    assert not list(tmp_path.glob("out*"))


def test_workers_with_an_onnx_export_import_no_keras_and_no_tensorflow(
    export, tmp_path, monkeypatch
):
    write_table(tmp_path / "rows.csv", 30)
    for name in ("keras", "tensorflow", "tensorflow_datasets", "jax"):
        (tmp_path / "first" / name).mkdir(parents=True)
        (tmp_path / "first" / name / "__init__.py").write_text(CANNOT_IMPORT)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'first'}:{Path(__file__).parents[3]}")
    monkeypatch.chdir(tmp_path)
    words = ["--input", "rows.csv", "--output", "out", "--workers", "2", "--rows-per-shard", "10"]
    assert pipeline([str(export), *words]) == 0
    assert len(read_rows(tmp_path / "out")) == 30


MISTAKES = {
    ("--input", "none.csv"): "--input none.csv: expected a file or a folder, got nothing there",
    ("--input", "*.none"): "--input *.none: expected files that match, got none; correct the pat",
    ("--input", "other.csv"): "--input other.csv: expected a column called text, got id; name it",
    ("--input", "empty.txt", "header.csv"): "--input: expected at least one row, got none; name",
    ("--input", "a.txt", "--workers", "0"): "--workers: expected an integer of at least 1, got 0",
    ("--input", "a.txt", "--rows-per-shard", "x"): "--rows-per-shard: expected an integer of",
    ("--input", "a.txt", "--max-bad-fraction", "2"): "--max-bad-fraction: expected a number from 0",
    ("--input", "a.txt", "--textt", "b"): "--textt: expected one of text, got textt; text_classif",
    ("--input", "a.txt", "--text", "b"): "expected an input that each line is, got all inputs of",
    (
        "--input",
        "a.txt",
        "--encoding",
        "x",
    ): "encoding: expected an encoding such as utf-8",
    ("--input", "."): "expected a folder of files, where files are the only input without an",
    ("--input", "a.txt", "--", "--runer=X"): "options after `--`: expected options that Beam and",
    ("--input", "a.txt", "--alignments", "--format", "csv"): "--alignments: expected the format",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_mistakes_are_named_before_the_job_begins(words, predict, tmp_path, capsys, monkeypatch):
    def run(*arguments: object) -> None:
        raise AssertionError("a job was begun")

    monkeypatch.setattr("rnnpipe.transforms.runners.runner.Runner.open", run)
    (tmp_path / "other.csv").write_text("id\n1\n")
    (tmp_path / "header.csv").write_text("text\n")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "a.txt").write_text("good film\n")
    assert predict(*words) == 2
    assert MISTAKES[words] in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_an_output_with_files_is_refused(predict, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("good film\n")
    (tmp_path / "out").mkdir()
    assert predict("--input", "a.txt") == 0
    assert predict("--input", "a.txt") == 2
    message = "--output out: expected a new or empty folder, got one with files; name another one"
    assert message in capsys.readouterr().err
    assert predict("--input", "a.txt", output="a.txt") == 2
    assert "--output a.txt: expected a new or empty folder, got a file" in capsys.readouterr().err


def test_what_is_no_model_or_another_version_is_refused(predict, export, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("good film\n")
    assert predict("--input", "a.txt", model="none") == 2
    assert "none: expected the folder of a trained run, got no such folder" in (
        capsys.readouterr().err
    )
    other = tmp_path / "other"
    for name, content in contents(export).items():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_bytes(content)
    manifest = json.loads((other / "export.json").read_text())
    (other / "export.json").write_text(json.dumps({**manifest, "rnnpipe": "9.0.0"}))
    assert predict("--input", "a.txt", model=other) == 2
    assert "expected an export of rnnpipe" in capsys.readouterr().err


def test_the_help_of_a_job_lists_its_options_and_the_inputs(export, capsys):
    for run in (lambda words: main(["predict", *words]), pipeline):
        with pytest.raises(SystemExit, match="0"):
            run([str(export), "--workers", "1", "--help"])
        shown = capsys.readouterr().out
        assert all(option in shown for option in ("--text TEXT", "--rows-per-shard N", "--split"))
    with pytest.raises(SystemExit, match="0"):
        main(["predict", str(export), "--help"])
    assert "`rnnpipe predict RUN --workers 1 --help`" in " ".join(capsys.readouterr().out.split())
    assert pipeline(["--help"]) == 0
    assert "python -m rnnpipe.pipelines.predict runs/sentiment" in capsys.readouterr().out
    assert pipeline([]) == 2


@pytest.mark.parametrize(("workers", "name"), [(1, "rows.csv"), (2, "rows.parquet")])
def test_model_rows_and_predictions_may_be_in_a_store(
    workers, name, predict, export, bucket, tmp_path
):
    write_table(tmp_path / "rows.csv", 40, broken=1)
    texts = [sentence(number) if number != 20 else "" for number in range(1, 41)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet")
    (bucket / "texts" / name).write_bytes((tmp_path / name).read_bytes())
    for file, content in contents(export).items():
        (bucket / "model" / file).write_bytes(content)
    few = ("--rows-per-shard", 16, "--workers", workers)
    paths = ("--input", f"{bucket}/texts/rows.*")
    code = predict(*few, *paths, output=bucket / "out", model=bucket / "model")
    assert code == 1
    predict(*few, "--input", name)
    manifest = json.loads((bucket / "out" / "manifest.json").read_text())
    folder: StorePath = bucket / "out" / manifest["build"]
    here = contents(tmp_path / "out")
    assert {*manifest["files"], "manifest.json"} == set(here)
    shards = [file for file in here if file.startswith("predictions")]
    assert len(shards) == 3
    for file in shards:
        assert (folder / file).read_bytes() == here[file]
    assert {path.name for path in (bucket / "out").iterdir()} == {"manifest.json", folder.name}
    assert predict(*few, *paths, output=bucket / "out", model=bucket / "model") == 2
