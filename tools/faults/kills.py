"""Kills of commands, or of their workers, at any moment."""

import os
import signal
import time
from contextlib import suppress

from tools.cluster.fault_injectors import descendants
from tools.faults.moments import FileEvents
from tools.faults.oracle import RIGHT, STOPPED, UNDISTURBED, check_ending
from tools.faults.trial import Trial

_COMMANDS = (
    *("build", "build", "build", "predict file"),  # the quickest that write
    *("run", "resume", "evaluate", "export", "predict", "predict export"),
)
_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}


def kill(trial: Trial) -> str:
    """Sends a signal to a command, before a file operation or after a while."""
    command, number = trial.draw_command(*_COMMANDS), trial.rng.choice(list(_CODES))
    reference, at = trial.reference(command), trial.rng.random()
    if trial.rng.random() < 0.7:
        operation = 1 + int(at * reference.operations)
        trial.what = f"{command.name}: {number.name} before file operation {operation}"
        events = FileEvents(trial.folder, operation, lambda: os.kill(os.getpid(), number))
        ending = trial.run(command, events.install)
    else:
        seconds = at * reference.seconds
        trial.what = f"{command.name}: {number.name} after {seconds:.2f} s"
        ending = trial.run(command, disturb=lambda pid: _signal_later(pid, number, seconds))
    if ending.code == -signal.SIGTERM and not ending.errors:
        trial.check_cleaned()  # it came before the command had begun
        return UNDISTURBED
    check_ending(ending, (0, _CODES[number]))
    if ending.code == 0:
        trial.check_finished(command, ending)
        return UNDISTURBED
    if number != signal.SIGKILL:
        trial.check_cleaned()
    trial.check_repeated(command, ending)
    return STOPPED


def _signal_later(pid: int, number: signal.Signals, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.01)
    os.kill(pid, number)


def kill_worker(trial: Trial) -> str:
    """Kills a worker, or the process that forks workers, or sends a signal to the main one."""
    command = trial.draw_command("build workers", "build workers", "predict workers")
    reference = trial.reference(command)
    number = trial.rng.choice([signal.SIGKILL, *_CODES])
    is_worker = number == signal.SIGKILL and trial.rng.random() < 0.7
    seconds, choice = trial.rng.random() * reference.seconds, trial.rng.random()
    victim = "a worker" if is_worker else "the main process"
    trial.what = f"{command.name}: {number.name} to {victim} after {seconds:.2f} s"

    def strike(pid: int) -> None:
        if not is_worker:
            _signal_later(pid, number, seconds)
            return
        time.sleep(seconds)
        while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found := descendants(pid):
                with suppress(ProcessLookupError):
                    os.kill(found[int(choice * len(found))], number)
                return
            time.sleep(0.01)

    ending = trial.run(command, disturb=strike)
    check_ending(ending, (0, 2) if is_worker else (0, _CODES[number]))
    if ending.code == 0:
        trial.check_finished(command, ending)
        return RIGHT if is_worker else UNDISTURBED
    if number != signal.SIGKILL or is_worker:
        trial.check_cleaned()
    trial.check_repeated(command, ending)
    return STOPPED
