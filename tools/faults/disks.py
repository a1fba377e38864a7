"""Full disks: a small file system, a limit of file sizes, an output that takes nothing."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.cluster.targets import no_small_disk
from tools.faults.commands import Command
from tools.faults.oracle import REFUSED, RIGHT, STOPPED, check_ending, measure
from tools.faults.trial import Trial

_WRITERS = ("build", "build", "predict file", "run", "resume", "evaluate", "export")
_PRINTERS = ("predict", "predict export", "inspect")
_MESSAGES = 1 << 14  # bytes of messages, which are limited too


def fill(trial: Trial) -> str:
    """Fills the disk that a command writes to, and empties it again."""
    kinds = [_print_to_full, _limit_sizes, _limit_sizes]
    if no_small_disk() is None:
        kinds += [_fill_disk] * 3
    return trial.rng.choice(kinds)(trial)


def _fill_disk(trial: Trial) -> str:
    command = trial.draw_command(*_WRITERS)
    reference = trial.reference(command)
    room = 1 + int(trial.rng.random() ** 2 * reference.size * 1.2)
    trial.what = f"{command.name}: on a disk with room for {room:,} bytes"
    with _small_disk(trial.folder):
        trial.restore(command)
        _resize(trial.folder, measure_disk(trial.folder) + room)
        ending = trial.run(command)
        check_ending(ending, (0, 2))
        trial.check_cleaned()
        if ending.code == 0:
            trial.check_finished(command, ending)
            return RIGHT
        _resize(trial.folder, 1 << 30)
        trial.check_repeated(command, ending)
    return STOPPED


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def measure_disk(folder: Path) -> int:
    """How much of the disk that is mounted at a folder is in use, in bytes."""
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _limit_sizes(trial: Trial) -> str:
    command = trial.draw_command(*_WRITERS)
    trial.reference(command)
    limit = _MESSAGES + int(trial.rng.random() ** 2 * _find_largest(trial, command))
    trial.what = f"{command.name}: no file may have more than {limit:,} bytes"

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ending = trial.run(command, prepare)
    check_ending(ending, (0, 2))
    trial.check_cleaned()
    if ending.code == 0:
        trial.check_finished(command, ending)
        return RIGHT
    trial.check_repeated(command, ending)
    return STOPPED


def _find_largest(trial: Trial, command: Command) -> int:
    """The size of the largest file that a command may write."""
    parts = [trial.subject.whole / part for part in ("records", "runs", "exported")]
    return max(measure(path) for part in parts for path in part.rglob("*") if path.is_file())


def _print_to_full(trial: Trial) -> str:
    command = trial.draw_command(*_PRINTERS)
    trial.reference(command)
    trial.what = f"{command.name}: > /dev/full"
    ending = trial.run(command, lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1))
    check_ending(ending, (2,))
    trial.check_cleaned()
    return REFUSED
