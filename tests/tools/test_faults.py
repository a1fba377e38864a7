"""The trials of `python -m tools.faults`: a few of them, and what their oracle accepts."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tools.faults.child import Ending, run_function
from tools.faults.moments import FileEvents, read_count
from tools.faults.oracle import Wrong, check_ending, check_names, check_result, find_temporary

ROOT = Path(__file__).resolve().parents[2]
MESSAGE = "rnnpipe: model.units: expected a positive integer, got -3; write e.g. 256\n"

TRIALS = (
    "kill/text_classification/0.17",  # a build by SIGKILL, near its end
    "damage/text_classification/0.2",
    "damage/text_classification/0.3",  # records, before they are inspected
    "raw/text_classification/0.3",
    "disk/text_classification/0.10",  # a build
)


def test_a_few_trials():
    """Of each kind but that of workers, which take longest; the rest is run by hand."""
    command = [sys.executable, "-m", "tools.faults", "--only", *TRIALS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = Counter(name.partition("/")[0] for name in TRIALS)
    tally = re.findall(r"^\| (\w+) \| (\d+) \|", done.stdout, re.MULTILINE)
    assert {kind: int(count) for kind, count in tally} == kinds


def end(code, errors="", left=()):
    return Ending(code, "", errors, list(left), 0.0)


@pytest.mark.parametrize(
    "ending",
    [
        end(0),
        end(2, MESSAGE),
        end(2, MESSAGE + MESSAGE.removeprefix("rnnpipe: ")),
        end(2, "rnnpipe: standard output: No space left on device\n"),
        end(130, "rnnpipe: interrupted; run the same command again\n"),
        end(143, "rnnpipe: terminated; continue with `rnnpipe resume runs/a`\n"),
        end(-signal.SIGKILL),
    ],
)
def test_what_may_happen(ending):
    check_ending(ending, (0, 2, 130, 143, -9))


@pytest.mark.parametrize(
    ("ending", "wrong"),
    [
        (end(None), "a hang"),
        (end(0, left=[1]), "processes that live on"),
        (end(1, "Traceback (most recent call last):\nKeyError: 'a'"), "a traceback: KeyError: 'a'"),
        (end(2, MESSAGE + "Exception ignored in: <x>"), "a exception ignored"),
        (end(1, MESSAGE), "exit code 1"),
        (end(2), "an unclear message: ''"),
        (end(2, "rnnpipe: it failed\n"), "an unclear message"),
        (end(130, "rnnpipe: terminated; run it again\n"), "an unclear message"),
        (end(143, MESSAGE + "rnnpipe: terminated; run it again\n"), "an unclear message"),
        (end(0, MESSAGE), "messages of a success"),
    ],
)
def test_what_must_not_happen(ending, wrong):
    with pytest.raises(Wrong, match=wrong):
        check_ending(ending, (0, 2, 130, 143))


def test_other_results_and_what_is_left_behind_are_wrong(tmp_path):
    check_result({"a": b"1"}, {"a": b"1"})
    for got in ({"a": b"2"}, {}, {"a": b"1", "b": b""}):
        with pytest.raises(Wrong, match=r"another result: [ab]"):
            check_result(got, {"a": b"1"})
    with pytest.raises(Wrong, match="left behind: b"):
        check_names(frozenset("ab"), frozenset("a"))
    with pytest.raises(Wrong, match="lost: b"):
        check_names(frozenset("a"), frozenset("ab"))
    for name in ("tmp/x", "records.incomplete-01234567", "cache/checked", "records/stats.json"):
        (tmp_path / name).mkdir(parents=True)
    assert find_temporary(tmp_path) == ["records.incomplete-01234567", "tmp/x"]


def test_a_child_is_killed_before_its_third_operation(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()

    def write():
        for name in "abcd":
            (folder / name).write_text("")
        return 0

    kill = FileEvents(folder, 3, lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert run_function(write, folder, kill.install).code == -signal.SIGKILL
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "cache", "tmp"]
    assert run_function(write, folder, FileEvents(folder).install).code == 0
    assert read_count(folder) == 4


def hang():
    time.sleep(100)
    return 0


def test_how_a_child_ends(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()

    def fail():
        raise KeyError("a")

    ending = run_function(fail, folder)
    assert ending.code == 1
    assert ending.errors.startswith("Traceback")
    assert run_function(lambda: sys.exit(3), folder).code == 3
    assert run_function(hang, folder, limit=0.1).code is None


def test_processes_that_live_on_are_found_and_ended(tmp_path, monkeypatch):
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.setattr("tools.faults.child._EXIT_SECONDS", 0.1)

    def leave():
        with open(folder / "pid", "w") as file:
            file.write(str(subprocess.Popen(["sleep", "100"]).pid))
        return 0

    ending = run_function(leave, folder)
    pid = int((folder / "pid").read_text())
    assert ending.left == [pid]
    for _ in range(1000):
        if not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text():
            break
        time.sleep(0.01)
    else:
        raise AssertionError("it lives on")
