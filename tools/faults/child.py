"""A command in a child process, forked from this one, which has imported everything."""

import atexit
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnnpipe import cli

_NO_ERRORS = re.compile(
    r"^(\S+: note: .*|WARNING:.*|.*━━━.*|.* left +[-\d]:[-\d:]+.*"
    r"|[a-z ]+  [\d,]+(/[\d,]+)?(  .*)?)\n",  # once a minute
    re.MULTILINE,
)
"""What is printed beside errors: notes, warnings of libraries, progress."""

_EXIT_SECONDS = 30.0  # for the workers of a command that was killed


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Args:
        code: its exit code, minus the number of the signal that killed it; None: it hung.
        output: what it printed.
        errors: its messages, without notes and progress.
        left: its processes that live on.
        seconds: how long it took.
    """

    code: int | None
    output: str
    errors: str
    left: list[int]
    seconds: float


def run_command(
    arguments: list[str],
    folder: Path,
    *,
    prepare: Callable[[], object] = lambda: None,
    disturb: Callable[[int], object] = lambda pid: None,
    limit: float = 300.0,
) -> Ending:
    """Runs a command of rnnpipe.

    Args:
        arguments: its arguments.
        folder: of its cache and temporary files; what it prints goes beside it.
        prepare: called in the child, before the command.
        disturb: called in this process with the number of the child.
        limit: seconds, after which it hangs.
    """
    return run_function(lambda: cli.main(arguments), folder, prepare, disturb, limit)


def run_function(
    function: Callable[[], int],
    folder: Path,
    prepare: Callable[[], object] = lambda: None,
    disturb: Callable[[int], object] = lambda pid: None,
    limit: float = 300.0,
) -> Ending:
    """Runs a function that returns an exit code, see `run_command`."""
    began = time.monotonic()
    outputs = [log_folder(folder) / name for name in ("output", "errors")]
    pid = os.fork()
    if not pid:
        _become(folder, outputs)
        _end(function, prepare)
    try:
        disturb(pid)
        code = _await(pid, began + limit)
        left = _surviving(pid) if code is not None else []
    finally:
        _kill_session(pid)
    output, errors = (path.read_text(encoding="utf-8", errors="replace") for path in outputs)
    errors = _NO_ERRORS.sub("", errors)
    return Ending(code, output, errors, left, time.monotonic() - began)


def log_folder(folder: Path) -> Path:
    """Where the output of a command goes: not to the disk that may be full."""
    return folder.with_name("log")


def _become(folder: Path, outputs: list[Path]) -> None:
    """Makes the child a process of its own: its session, streams, signals and folders."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outputs[0].parent.mkdir(exist_ok=True)
    for path, number in zip(outputs, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115  # for good
    sys.stderr = open(2, "w", encoding="utf-8")  # noqa: SIM115
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in ("tmp", "cache"):
        (folder / name).mkdir(exist_ok=True)
    os.environ |= {"TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "cache")}
    tempfile.tempdir = None
    os.chdir(folder)


def _end(function: Callable[[], int], prepare: Callable[[], object]) -> None:
    """Ends the child as Python ends: nothing of this process is unwound."""
    code = 1
    try:
        try:
            prepare()
            code = function()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        code = 120  # as the interpreter has it
    finally:
        sys.stderr.flush()
        os._exit(code)


def _await(pid: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def find_session(session: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def _surviving(session: int) -> list[int]:
    deadline = time.monotonic() + _EXIT_SECONDS
    while (left := find_session(session)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _kill_session(session: int) -> None:
    for pid in find_session(session):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
