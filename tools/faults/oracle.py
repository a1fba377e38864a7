"""Judges how a command ended, and what it left."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools.faults.child import Ending
from tools.faults.commands import Command, Result, generic_name
from tools.faults.moments import read_count
from tools.faults.subjects import Subject

RIGHT, REFUSED, STOPPED = "right at once", "refused", "stopped, then right"
UNDISTURBED = "not disturbed"

_MESSAGE = re.compile(r"(rnnpipe: )?.+: expected .+, got .+; .+|rnnpipe: [^:]+: [^:]+")
_ENDS = {130: "interrupted", 143: "terminated"}
_NOISE = re.compile(r"Traceback|Exception ignored|Error in|core dumped|Warning:")
_TEMPORARY = re.compile(r"^tmp/|\.incomplete-")
_OWN = ("cache", "tmp")


class Wrong(Exception):
    """What must not happen."""


@dataclass(frozen=True)
class Reference:
    """A command without a fault.

    Args:
        result: what it gives.
        names: what is in the folder of its subject afterwards.
        seconds: how long it takes.
        operations: how many file operations it has.
        size: of the file or folder that it makes, in bytes.
    """

    result: Result
    names: frozenset[str]
    seconds: float
    operations: int
    size: int

    @classmethod
    def of(cls, subject: Subject, command: Command, ending: Ending) -> "Reference":
        """That of a command that has just ended.

        Raises:
            SystemExit: it failed.
        """
        if ending.code != 0:
            raise SystemExit(f"{command.name} fails without a fault\n{ending.errors}")
        result = command.read_result(subject.folder, ending)
        names, size = list_names(subject.folder), measure(subject.folder / command.made)
        return cls(result, names, ending.seconds, read_count(subject.folder), size)


def list_names(folder: Path) -> frozenset[str]:
    """What is in the folder of a subject, and what it should not be: temporary files.

    Of several with names that differ in their times, each has its number.
    """
    counts = Counter(generic_name(path, folder) for path in folder.rglob("*"))
    return frozenset(
        name if number == 1 else f"{name} ({number})"
        for name, count in counts.items()
        for number in range(1, (1 if "EVENTS" in name else count) + 1)
        if name.partition("/")[0] not in _OWN or _TEMPORARY.search(name)
    )


def measure(path: Path) -> int:
    """The size of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def find_temporary(folder: Path) -> list[str]:
    """Temporary files in the folder of a subject."""
    return sorted(filter(_TEMPORARY.search, list_names(folder)))


def check_ending(ending: Ending, codes: tuple[int, ...]) -> None:
    """Checks the exit code and the message of a command.

    Raises:
        Wrong: it is another one, or not of the form of this house.
    """
    if ending.code is None:
        raise Wrong("a hang")
    if ending.left:
        raise Wrong(f"processes that live on: {len(ending.left)}")
    if noise := _NOISE.search(ending.errors):
        raise Wrong(f"a {noise[0].lower().strip(':')}: {_last_line(ending.errors)}")
    if ending.code not in codes:
        raise Wrong(f"exit code {ending.code}: {_last_line(ending.errors)}")
    lines = [line for line in ending.errors.splitlines() if line]
    if ending.code in _ENDS:
        if len(lines) != 1 or not lines[0].startswith(f"rnnpipe: {_ENDS[ending.code]}; "):
            raise Wrong(f"an unclear message: {ending.errors[:300]!r}")
    elif ending.code == 2:
        is_ours = bool(lines) and lines[0].startswith("rnnpipe: ")
        if not is_ours or not all(map(_MESSAGE.fullmatch, lines)):
            raise Wrong(f"an unclear message: {ending.errors[:300]!r}")
    elif ending.code == 0 and lines:
        raise Wrong(f"messages of a success: {ending.errors[:300]!r}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1][:200]


def check_result(result: Result, expected: Result) -> None:
    """Compares what a command gave.

    Raises:
        Wrong: it is something else.
    """
    others = sorted(name for name in {*result, *expected} if result.get(name) != expected.get(name))
    if others:
        raise Wrong(f"another result: {', '.join(others[:5])}")


def check_names(names: frozenset[str], expected: frozenset[str]) -> None:
    """Compares what is in the folder of a subject.

    Raises:
        Wrong: something was left behind, or is lost.
    """
    if left := sorted(names - expected):
        raise Wrong(f"left behind: {', '.join(left[:5])}")
    if lost := sorted(expected - names):
        raise Wrong(f"lost: {', '.join(lost[:5])}")
