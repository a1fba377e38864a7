"""Predictions of many rows: their order, their errors, and files that are continued."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.predictors.formats import make_writer
from rnnpipe.predictors.job import write_file, write_out
from rnnpipe.predictors.output import PARTIAL, ResumableOutput
from rnnpipe.predictors.rows import RowReader
from tests.predictors.conftest import INPUTS

ROOT = Path(__file__).resolve().parents[2]
LINES = ["abc", "", "wh?", "de", "n!", "f*", "abcd"]
TURNED = ["cba", "", "", "ed", "", "*f", "dcba"]


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


def open_rows(place):
    return RowReader("turn", INPUTS, {}).open(str(place))


def test_a_line_for_a_line_and_every_error_with_its_reason(predictor, place, capsys):
    assert write_out(predictor, open_rows(place), make_writer("text", ["text"])) == 2
    out, err = capsys.readouterr()
    assert out.split("\n")[:-1] == TURNED
    assert err.splitlines() == [
        f"rnnpipe: {place}, line 3: --text: expected a text without ?, got wh?; leave it out",
        f"rnnpipe: {place}, line 5: --text: expected a text without !, got n!; leave it out",
        f"rnnpipe: note: {place}, line 6: --text: a * is not read",
        "rnnpipe: note: 1 of 7 lines are blank and have no answer",
        "rnnpipe: 2 of 7 rows have no prediction",
    ]


def test_many_notes_are_counted(predictor, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("a*\n" * 50)
    assert write_out(predictor, open_rows(tmp_path / "notes.txt"), make_writer("text", [])) == 0
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 21
    assert err[-1] == "rnnpipe: note: and 30 notes more"


def test_batches_are_of_similar_lengths_and_the_same_options(predictor):
    rows = [{"text": "a" * length, "n-best": 1 + length % 2} for length in (5, 2, 8, 1, 4, 6)]
    results = list(predictor.predict(rows))
    assert [len(result.answers[0].text) for result in results] == [5, 2, 8, 1, 4, 6]
    assert [[len(text) for text in batch] for batch in predictor.batches] == [
        [5, 1],
        [8, 6, 4],
        [2],
    ]


def test_rows_are_read_only_a_few_batches_ahead(predictor):
    asked = []

    def rows():
        while True:
            asked.append(None)
            yield {"text": "ab"}

    results = predictor.predict(rows())
    assert next(results).answers[0].text == "ba"
    assert len(asked) == 6
    predictor.max_length = 4
    assert next(predictor.predict(rows())).answers[0].text == "ba"
    assert len(asked) == 8


class Killed(BaseException):
    pass


def write(predictor, place, output, job=None):
    source = open_rows(place)
    writer = make_writer("jsonl", source.columns)
    return write_file(predictor, source, writer, ResumableOutput(output, job or {"run": "r"}))


@pytest.fixture
def killed(predictor, place, tmp_path, monkeypatch):
    """A file that was begun, of which four rows are done."""
    compute = predictor.compute

    def die(examples):
        if any("f*" in row.inputs["text"] for row in examples):
            raise Killed
        return compute(examples)

    monkeypatch.setattr(predictor, "compute", die)
    monkeypatch.setattr(predictor, "window", 1)
    monkeypatch.setattr(predictor, "batch_size", 1)
    with pytest.raises(Killed):
        write(predictor, place, tmp_path / "out.jsonl")
    monkeypatch.undo()
    return tmp_path / "out.jsonl"


def test_an_interrupted_file_is_continued(predictor, place, killed, tmp_path, capsys):
    assert not killed.exists()
    predictor.batches.clear()
    assert write(predictor, place, killed) == 2
    assert "5 rows are done already" in capsys.readouterr().err
    assert sorted(chain(*predictor.batches)) == ["abcd", "f*"]
    assert not killed.with_name(killed.name + PARTIAL).exists()
    write(predictor, place, tmp_path / "whole.jsonl")
    assert killed.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    rows = [json.loads(line) for line in killed.read_text().splitlines()]
    assert [row["row"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.get("prediction") or "" for row in rows] == TURNED


@pytest.mark.parametrize("torn", ["results", "progress.log"])
def test_torn_results_are_written_again(predictor, place, killed, tmp_path, torn):
    path = killed.with_name(killed.name + PARTIAL) / torn
    path.write_bytes(path.read_bytes() + b'{"row": 6, "te')
    assert write(predictor, place, killed) == 2
    write(predictor, place, tmp_path / "whole.jsonl")
    assert killed.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_results_that_are_lost_are_predicted_again(predictor, place, killed, tmp_path):
    path = killed.with_name(killed.name + PARTIAL) / "results"
    path.write_bytes(path.read_bytes()[:-1])
    write(predictor, place, killed)
    write(predictor, place, tmp_path / "whole.jsonl")
    assert killed.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_other_inputs_or_another_command_do_not_continue_it(predictor, place, killed):
    with pytest.raises(UserError, match="got one with another format, run; run the same command"):
        write(predictor, place, killed, {"run": "s", "format": "csv"})
    place.write_text("other\n" * 7)
    with pytest.raises(UserError, match="expected the same first 5 rows as when it was begun"):
        write(predictor, place, killed)
    assert not killed.exists()


def test_a_file_that_is_there_or_cannot_be_written_is_refused(predictor, place, tmp_path):
    with pytest.raises(UserError, match="expected a new file, got one that is there"):
        write(predictor, place, place)
    with pytest.raises(UserError, match="expected a file to write to"):
        write(predictor, place, Path("/dev/null/out.jsonl"))


def test_two_processes_do_not_write_one_file(predictor, place, tmp_path):
    output = ResumableOutput(tmp_path / "out.jsonl", {})
    with (
        output.resume(),
        pytest.raises(UserError, match="a file that no other process writes"),
        ResumableOutput(tmp_path / "out.jsonl", {}).resume(),
    ):
        pass


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from rnnpipe.predictors.formats import make_writer
from rnnpipe.predictors.job import write_out
from rnnpipe.predictors.rows import RowReader
from tests.predictors.conftest import INPUTS, Turned
source = RowReader("turn", INPUTS, {{}}, form={form!r}).open("-")
predictor = Turned(inputs=INPUTS, task="turn", batch_size=3)
writer = make_writer("text", source.columns)
failed = write_out(predictor, source, writer)
assert not {{"keras", "tensorflow"}} & set(sys.modules)
sys.exit(failed)
"""


@pytest.mark.parametrize(
    ("form", "header", "line"),
    [
        (None, "", "{}\n"),
        ("csv", "text\n", "{}\n"),
        ("tsv", "n-best\ttext\n", "1\t{}\n"),
        ("jsonl", "", '{{"text": "{}"}}\n'),
    ],
)
def test_the_standard_input_is_answered_line_by_line(form, header, line):
    script = SCRIPT.format(root=str(ROOT), form=form)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        process.stdin.write(header.encode())
        for text in ("abc", "wh?", "de"):
            process.stdin.write(line.format(text).encode())
            process.stdin.flush()
            # The answer comes before the next question is asked.
            expected = "" if "?" in text else text[::-1]
            assert process.stdout.readline().decode() == f"{expected}\n"
        process.stdin.close()
        assert process.stdout.read() == b""
        assert b"line " in process.stderr.read()
    assert process.returncode == 1
