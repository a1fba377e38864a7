"""What other programs read: exactly what was written, and no complaint when they stop reading."""

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from rich.table import Table

from rnnpipe import cli
from rnnpipe.output import OUTPUT, escape_controls, write_error, write_notice, write_output
from rnnpipe.runs.console import make_console
from rnnpipe.runs.print_prediction import print_prediction, write_pieces
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.tasks.prediction import Answer, Prediction

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def printed(capsys, tmp_path):
    """What is printed of a prediction, or of the pieces of a text."""

    def print_one(predicted, picture=tmp_path / "prediction.png"):
        if isinstance(predicted, Prediction):
            print_prediction(predicted, picture, make_console())
        else:
            write_pieces(predicted)
        return capsys.readouterr().out

    return print_one


@pytest.mark.parametrize(
    "lines",
    [[], ["one\n"], ["one\n", "\n", "three\n"], ["0 ||| a ||| -1.0\n", "0 ||| b ||| -2.0\n"]],
)
def test_a_stream_of_lines_is_printed_as_it_is(printed, lines):
    assert printed(iter(lines)) == "".join(lines)


@pytest.mark.parametrize(
    "text",
    ["\tif (x)\n\f\n}", "a\r\n\v\b\a\x1b[1m", ":smile: [bold]x[/bold]", "x" * 500, "😍\u2028\xad"],
)
def test_a_text_loses_nothing_and_its_last_line_is_ended(printed, text):
    assert printed(iter(text)) == f"{text}\n"
    assert printed(iter([*text, "\n"])) == f"{text}\n"


def test_a_picture_is_refused_where_none_is_drawn(printed, tmp_path, monkeypatch, capsys):
    run = Mock(task=Mock(inputs=(), draws=True, streams=True), path=tmp_path, extras=())
    run.task.name = "echo"
    monkeypatch.setattr("rnnpipe.predictors.command.load_model", lambda path: run)
    picture = ["--picture", str(tmp_path / "p.png")]
    assert cli.main(["predict", "run", *picture, "--stream"]) == 2
    assert "--picture: expected no --stream, which has no picture" in capsys.readouterr().err
    assert cli.main(["predict", "run", *picture, "--format", "jsonl"]) == 2
    assert "--picture: expected a single row without --format" in capsys.readouterr().err
    assert not (tmp_path / "p.png").exists()
    printed(Prediction([Answer("a", 0.5)], draw=lambda: b"png"), picture=tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes() == b"png"


def test_the_one_run_of_several_that_predicts_is_named(tmp_path, monkeypatch, capsys):
    newest = tmp_path / "vqa" / "newest"
    run = Mock(task=Mock(inputs=(), draws=False, streams=True), path=newest, extras=())
    run.predictor.stream.return_value = ["an answer"]
    monkeypatch.setattr("rnnpipe.predictors.command.load_model", lambda path: run)
    assert cli.main(["predict", str(tmp_path / "vqa"), "--stream"]) == 0
    assert capsys.readouterr() == ("an answer\n", f"rnnpipe: note: predicting with {run.path}\n")
    assert cli.main(["predict", str(run.path), "--stream"]) == 0
    assert capsys.readouterr() == ("an answer\n", "")


@pytest.mark.parametrize("length", [10, 79, 80, 81, 500])
def test_a_path_is_printed_unchanged_on_one_line(capsys, length):
    path = f"/{'long name/' * (length // 10)}:smile:[red]report.html"
    make_console().print(f"Report: {path}")
    assert capsys.readouterr().out == f"Report: {path}\n"


WRITERS = {
    "a result": "write_output('x' * 100 + '\\n')",
    "a message": "console.print('x' * 100)",
    "a message within a progress": "progress.console.print('x' * 100)",
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_closed_output_pipe_is_no_error(writer):
    program = (
        "from rnnpipe import cli\n"
        "from rnnpipe.output import write_output\n"
        "from rnnpipe.runs.console import make_console\n"
        "from rnnpipe.runs.progress import make_progress\n"
        "def act(options):\n"
        "    console = make_console()\n"
        "    with make_progress(console) as progress:\n"
        f"        for _ in range(10000): {writer}\n"
        "cli._VERBS['init'] = cli._Verb(act)\n"
        "raise SystemExit(cli.main(['init']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("locale", ["ascii", "latin-1"])
def test_results_are_utf_8_in_every_locale(locale):
    program = (
        "from rnnpipe import cli\n"
        "from rnnpipe.output import write_output\n"
        "cli._VERBS['init'] = cli._Verb(lambda options: write_output('schön 😍\\n'))\n"
        "cli.main(['init'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": locale},
        cwd=ROOT,
    )
    assert done.stdout.decode() == "schön 😍\n"


def test_output_is_written_at_once(capfd):
    write_output("no line end")
    assert capfd.readouterr().out == "no line end"


STORES = [
    (["run", "s3://bucket/c.yaml"], "CONFIG s3://bucket/c.yaml"),
    (["config", "gs://bucket/c.yaml"], "CONFIG gs://bucket/c.yaml"),
    (["run", "c.yaml", "--runs-dir", "s3://bucket/runs"], "--runs-dir s3://bucket/runs"),
    (["train", "c.yaml", "--runs-dir", "memory://runs"], "--runs-dir memory://runs"),
    (["evaluate", "s3://bucket/runs/x"], "RUN s3://bucket/runs/x"),
    (["resume", "s3://bucket/runs/x"], "RUN s3://bucket/runs/x"),
    (["predict", "s3://bucket/runs/x", "--text", "a"], "RUN s3://bucket/runs/x"),
]


@pytest.mark.parametrize(("arguments", "where"), STORES)
def test_a_store_is_refused_where_a_path_is_needed(arguments, where, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    expected = f"rnnpipe: {where}: expected a path of this machine, got an object store; "
    assert capsys.readouterr().err.startswith(expected)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("-1", "an integer of at least 0"),
        ("1.5", "an integer of at least 0"),
        ("many", "an integer of at least 0"),
        ("100000000000000000000", "an integer of at most 2147483647"),
        ("9" * 900, "an integer of at most 2147483647"),
    ],
)
def test_a_number_out_of_range_is_refused(number, expected, tmp_path, capsys):
    assert cli.main(["inspect", str(tmp_path), "--examples", number]) == 2
    assert f"--examples: expected {expected}, got {number}" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["c.yaml"], ["--set", "train.epochs=2"]])
def test_the_schema_takes_no_config(more, capsys):
    assert cli.main(["config", "--schema", *more]) == 2
    assert "--schema: expected no CONFIG and no --set" in capsys.readouterr().err


COMMANDS = {
    "a result": (["config", "vqa"], 0),
    "a list": (["init"], 0),
    "a mistake": (["config", "missing"], 2),
}


def _run(arguments, redirection):
    command = f'exec "$0" -m rnnpipe.cli {" ".join(arguments)} {redirection}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize(("arguments", "code"), COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing_but_what_is_read(arguments, code, closed):
    whole, done = _run(arguments, ""), _run(arguments, closed)
    assert done.returncode == whole.returncode == code
    assert done.stdout == ("" if ">&-" in closed.split() else whole.stdout)
    assert done.stderr == ("" if "2>&-" in closed else whole.stderr)


@pytest.mark.parametrize("arguments", [["config", "vqa"], ["init"], ["config", "--schema"]])
def test_an_output_that_cannot_be_written_is_reported(arguments):
    done = _run(arguments, "> /dev/full")
    assert done.returncode == 2
    assert done.stderr == "rnnpipe: standard output: No space left on device\n"


def test_a_message_that_cannot_be_written_changes_no_exit_code():
    assert _run(["config", "missing"], "2> /dev/full").returncode == 2


def test_a_full_output_is_not_taken_for_the_full_disk_of_a_run(monkeypatch, tmp_path):
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(OSError, match="No space left") as fault:  # noqa: SIM117  the inner one
            with report_full_disk("the run", tmp_path, "make room"):
                make_console().print("epoch 1")
        monkeypatch.undo()
        assert fault.value.filename == OUTPUT
        with suppress(OSError):
            full.close()


HOSTILE = "".join(map(chr, [*range(32), *range(127, 160)])) + "\udcc2\udc9b\ud800 é 😍"
"""Every control character, one of bytes that are none each by itself, and half of a character."""


def has_controls(text):
    """Whether a terminal would obey it, which reads UTF-8 or single bytes."""
    read = text.encode(errors="surrogateescape").decode(errors="replace")
    return any(ord(c) < 32 or 127 <= ord(c) < 160 for c in read if c not in "\n\t")


def test_control_characters_are_spelled_out():
    assert escape_controls("a\x1b]0;title\a\r\x9b2J\x7f") == r"a\x1b]0;title\x07\x0d\x9b2J\x7f"
    assert escape_controls("tab\tline\nzwj\u200d\u2028 é 😍") == "tab\tline\nzwj\u200d\u2028 é 😍"
    assert escape_controls("caf\udce9.txt") == "caf\udce9.txt", "names keep their bytes"
    assert not has_controls(escape_controls(HOSTILE))
    assert has_controls(HOSTILE.replace("\ud800", ""))


def test_messages_have_no_control_characters(capsys):
    for write in (write_error, write_notice):
        write(f"texts.en:3: expected text, got {HOSTILE}")
        printed = capsys.readouterr().err
        assert not has_controls(printed)
        assert "\\x1b" in printed
        assert "é 😍" in printed


def show_all(console):
    """Whatever a console prints text in."""
    console.print(f"Note: {HOSTILE}", style="yellow")
    table = Table(f"a {HOSTILE}", title=f"title {HOSTILE}")
    table.add_row(f"cell {HOSTILE}")
    console.print(table)
    predicted = Prediction([Answer(f"answer {HOSTILE}", 0.5)])
    print_prediction(predicted, Path("unused"), console)


def test_a_console_prints_no_control_characters_of_the_data(capsys):
    show_all(make_console())
    printed = capsys.readouterr().out
    assert not has_controls(printed)
    assert printed.count("\\x1b") == 4


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_results_are_exact_for_programs_and_escaped_on_a_terminal(monkeypatch, capsys):
    write_output("a\x1b[2J\r\n")
    assert capsys.readouterr().out == "a\x1b[2J\r\n"
    monkeypatch.setattr("sys.stdout", Terminal())
    write_output("a\x1b[2J\r\n")
    assert sys.stdout.getvalue() == "a\\x1b[2J\\x0d\n"
