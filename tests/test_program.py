"""How commands end after a signal: cleaned up, with one line that says how to go on."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.program import run_program
from tests.runs.trainings import SENTIMENT

ROOT = Path(__file__).resolve().parents[1]
SIGNALS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated"),
}


@pytest.fixture(autouse=True)
def handlers():
    """The handlers of Python itself, which are there again after each command."""
    ours = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in ours.items()}
    yield
    assert {number: signal.getsignal(number) for number in ours} == ours
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "ended"), SIGNALS.items(), ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_command_cleanly(number, ended, capsys):
    code, word = ended
    cleaned = []

    def act():
        try:
            signal.raise_signal(number)
        finally:
            cleaned.append(True)

    assert run_program(act, "rnnpipe.pipelines.numbers") == code
    assert cleaned == [True]
    expected = f"rnnpipe.pipelines.numbers: {word}; run the same command again\n"
    assert capsys.readouterr().err == expected


def convert(error):
    """A library that makes another exception of what a signal raises."""
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        raise error from None


@pytest.mark.parametrize(
    "error",
    [
        ImportError("half"),
        UserError("build.workers"),
        OSError(2, "x", "f"),
        BrokenPipeError(),
        SystemExit(7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_library_makes_of_a_signal_is_no_other_end(error, capsys):
    assert run_program(lambda: convert(error)) == 143
    assert capsys.readouterr().err == "rnnpipe: terminated; run the same command again\n"


class Interrupted:
    """Its destructor gets the signal."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


class Raising:
    """Its destructor passes on what a callback was interrupted by."""

    def __del__(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize(("number", "ended"), SIGNALS.items(), ids=["SIGINT", "SIGTERM"])
def test_a_signal_in_a_destructor_is_not_lost(number, ended, capsys):
    hook = sys.unraisablehook

    def act():
        Interrupted(number)
        Raising()
        time.sleep(100)

    code, word = ended
    assert run_program(act) == code
    assert capsys.readouterr().err == f"rnnpipe: {word}; run the same command again\n"
    assert sys.unraisablehook is hook


def test_the_message_says_how_to_go_on(capsys):
    def act():
        error = KeyboardInterrupt()
        error.add_note("continue with `rnnpipe resume runs/a`")
        raise error

    assert run_program(act) == 130
    expected = "rnnpipe: interrupted; continue with `rnnpipe resume runs/a`\n"
    assert capsys.readouterr().err == expected


def test_a_second_sigterm_does_not_disturb_the_cleaning():
    cleaned = []

    def act():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)

    assert run_program(act) == 143
    assert cleaned == [True]


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert run_program(lambda: signal.raise_signal(signal.SIGTERM)) == 0
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN


def test_a_command_in_a_thread_leaves_signals_alone():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run_program(lambda: 3)))
    thread.start()
    thread.join()
    assert codes == [3]


def test_ctrl_c_while_the_interpreter_ends_prints_nothing():
    """As in what TensorFlow has registered for the exit; the command has ended before."""
    code = (
        "import atexit, os, signal, sys\n"
        "from rnnpipe.program import run_program\n"
        "def act():\n"
        "    atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "sys.exit(run_program(act))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_other_exceptions_are_raised():
    with pytest.raises(ZeroDivisionError):
        run_program(lambda: 1 // 0)


def start(*arguments, **options):
    """A command in a session of its own, whose processes can be told from all others."""
    command = [sys.executable, "-m", "rnnpipe.cli", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        **options,
    )


def end(process, number, is_ready):
    """Sends a signal once the command is at work; returns the exit code and the last line."""
    try:
        while not is_ready():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(number)
        errors = process.communicate(timeout=300)[1]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session
    assert "Traceback" not in errors, errors
    return process.returncode, errors.splitlines()[-1]


def count_others(session):
    """Processes of a session that are left; zombies are none."""
    states = [path / "stat" for path in Path("/proc").iterdir() if path.name.isdecimal()]
    found = []
    for state in states:
        with suppress(OSError):
            fields = state.read_text().rpartition(")")[2].split()
            found.append(fields[3] == str(session) and fields[0] != "Z")
    return sum(found)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_build_ends_with_its_workers(tmp_path):
    settings = [f"data.directory={tmp_path / 'data' / 'records'}", "build.workers=2"]
    settings += ["data.source.images=3000", "build.records_per_shard=100"]
    options = [part for each in settings for part in ("--set", each)]
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    process = start("build", "vqa", *options, env=environment)
    data = tmp_path / "data"
    code, line = end(process, signal.SIGTERM, lambda: list(data.rglob("*.tfrecord*")))
    assert (code, line) == (143, "rnnpipe: terminated; run the same command again")
    assert names(data) == []
    assert names(tmp_path / "tmp") == []
    assert count_others(process.pid) == 0


@pytest.mark.parametrize("number", SIGNALS, ids=["SIGINT", "SIGTERM"])
def test_a_training_ends_with_what_it_goes_on_from(number, tmp_path):
    settings = [*SENTIMENT, "train.epochs=1000", "train.keep_best.patience=1000"]
    settings.append(f"data.directory={tmp_path / 'records'}")
    options = [part for each in settings for part in ("--set", each)]
    process = start("run", "sentiment", *options, "--runs-dir", tmp_path / "runs")
    weights = "runs/*/*/checkpoints/best.weights.h5"
    code, line = end(process, number, lambda: list(tmp_path.glob(weights)))
    (run,) = (tmp_path / "runs" / "sentiment").iterdir()
    expected, word = SIGNALS[number]
    assert (code, line) == (expected, f"rnnpipe: {word}; continue with `rnnpipe resume {run}`")
    assert not [name for name in names(tmp_path) if "incomplete" in name]
    assert {"config.yaml", "environment.json", "seal.json", "vocabulary"} <= set(names(run))
