"""Processes that outlive the command that starts them, each known by its name."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 15.0
_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Processes:
    """Processes by name; a file for each in `folder` says which one it is.

    Args:
        folder: where their numbers and logs lie.
    """

    folder: Path

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Starts a process of that name, unless it runs already; says whether it did."""
        if self.is_running(name):
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        # Not `subprocess`, which wants to see the end of all that it starts.
        pid = os.posix_spawnp(
            command[0],
            list(command),
            dict(environment),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log(name)), _ANEW, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        self._file(name).write_text(f"{pid} {started(pid)}")
        return True

    def log(self, name: str) -> Path:
        """What the process printed."""
        return self.folder / f"{name}.log"

    def names(self) -> list[str]:
        """The names of those that were started and not stopped."""
        return sorted(path.stem for path in self.folder.glob("*.pid"))

    def pid(self, name: str) -> int | None:
        """The number of a running process; a number that another one has by now does not count."""
        if not self._file(name).is_file():
            return None
        pid, since = self._file(name).read_text().split()
        return int(pid) if started(int(pid)) == since else None

    def is_running(self, name: str) -> bool:
        """Whether the process runs."""
        return self.pid(name) is not None

    def kill(self, name: str) -> bool:
        """Kills a process and its children without a warning; says whether it ran."""
        return self._signal(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """Asks a process to end, and makes it end if it does not."""
        if self._signal(name, signal.SIGTERM):
            deadline = time.monotonic() + _PATIENCE
            while self.is_running(name) and time.monotonic() < deadline:
                time.sleep(0.1)
            self.kill(name)
        self._file(name).unlink(missing_ok=True)

    def _signal(self, name: str, number: signal.Signals) -> bool:
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.killpg(pid, number)  # it leads a session of its own
        except ProcessLookupError:  # it has ended just now
            return False
        return True

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.pid"


def started(pid: int) -> str | None:
    """When a process started, in ticks since the host did; `None` for one that has ended."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else rest[18]
