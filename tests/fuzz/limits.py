"""What must hold whatever a reader is given."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, DeadLetter, Faults, UserError

SECONDS = {signal.ITIMER_PROF: 60, signal.ITIMER_REAL: 900}
"""After which a case hangs, of a processor and of a clock: it takes milliseconds."""

_SIGNALS = {signal.ITIMER_PROF: signal.SIGPROF, signal.ITIMER_REAL: signal.SIGALRM}

MEMORY = 400 << 20
"""By how many bytes all cases of a reader may enlarge the process; images may be large."""

_LONGEST = 8000  # characters of a message
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}


class Hang(BaseException):
    """A case that has not ended; no reader catches it."""


class _Watch:
    """Notes what is written outside of a folder, by the audit events of Python."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.strays: list[str] = []
        self._is_added = False

    def begin(self, folder: Path) -> None:
        if not self._is_added:  # such a hook stays for good
            sys.addaudithook(self._note)
            self._is_added = True
        self.folder, self.strays = os.path.realpath(folder), []

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in _CHANGES or (event == "open" and arguments[2] & _WRITES):
            paths = arguments[:2] if event == "os.rename" else arguments[:1]
            # What is removed in an open folder has its name alone there.
            is_whole = event == "open" or arguments[-1] == -1
            self.strays += [path for path in map(self._name, paths) if path and is_whole]

    def _name(self, path: Any) -> str:
        if not isinstance(path, str | bytes | os.PathLike):
            return ""
        whole = os.path.realpath(os.fsdecode(path))
        ours = whole.startswith(f"{self.folder}{os.sep}") or whole == self.folder
        return "" if ours or whole == os.devnull or "__pycache__" in whole else whole


_watch = _Watch()


@contextmanager
def limited(folder: Path) -> Iterator[None]:
    """Raises where the block hangs, or has written outside of the folder."""

    def stop(number: int, frame: Any) -> None:
        raise Hang(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in _SIGNALS.values()}
    for timer, seconds in SECONDS.items():
        signal.setitimer(timer, seconds)
    _watch.begin(folder)
    try:
        yield
    finally:
        _watch.folder = None
        for timer in SECONDS:
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert not _watch.strays, f"written outside of its folder: {_watch.strays}"


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Raises where the block has enlarged the process by more than `MEMORY`, if only for once."""
    before = _reset_peak()
    yield
    grown = _peak() - before
    assert grown <= MEMORY, f"{grown >> 20} MiB"


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")  # as man proc has it: the peak is the size now
    return _peak()


def _peak() -> int:
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(kilobytes) << 10


def call(read: Callable[[Any, Path], object], case: Any, folder: Path) -> None:
    """Reads a case; what it raises must be an error of ours, in the form of the house."""
    try:
        with limited(folder):
            read(case, folder)
    except UserError as error:
        check_error(error)
    except BadRecord as bad:
        check_text(bad.step, 60)
        check_text(bad.reason)


def check_error(error: UserError) -> None:
    """An error names the place, what is right there, what there is and what to do."""
    check_text(str(error), 4 * _LONGEST)
    for fault in error.faults if isinstance(error, Faults) else [error]:
        if not re.fullmatch(r"and [\d,]+ more", str(fault)):
            assert fault.expected, str(fault)
            assert fault.got, str(fault)
            assert fault.fix, str(fault)


def check_letters(items: Any) -> list[Any]:
    """What a source yields, its dead letters checked."""
    found = list(items)
    for item in found:
        if isinstance(item, DeadLetter):
            check_text(item.reason)
            item.key.encode()
    return found


def check_text(text: str, longest: int = _LONGEST) -> None:
    """A message that people can read."""
    assert text.strip()
    assert len(text) <= longest, f"{len(text)} characters: {text[:200]}"
