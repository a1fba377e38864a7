"""A trial while it runs: the processes that build its records and train it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = (sys.executable, "-m", "rnnpipe.sweeps.child")
_STOP_SECONDS = 60.0  # for what is being written, before a process is killed


@dataclass
class Job:
    """Commands that run one after the other, each as a process of `rnnpipe.sweeps.child`.

    Args:
        commands: their arguments.
        log: the file that all they print is added to.
        environment: variables of theirs.
    """

    commands: Sequence[Sequence[str]]
    log: Path
    environment: Mapping[str, str]
    began: float = field(default_factory=time.monotonic)
    _place: int = field(default=-1, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def poll(self) -> int | None:
        """Begins the next command where one has ended well; the exit code of all when they end."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return None
            self._close()
            if code:
                return code
        self._place += 1
        if self._place == len(self.commands):
            return 0
        self._begin(self.commands[self._place])
        return None

    def stop(self) -> None:
        """Ends what runs, which leaves whole files, as SIGTERM ends any command."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    @property
    def is_first(self) -> bool:
        """Whether it is at the first of several commands."""
        return self._place < 1 < len(self.commands)

    def read_reason(self, code: int | None) -> str:
        """Why it failed, in a line.

        Args:
            code: the exit code.
        """
        if code is not None and code < 0:
            return f"killed by signal {-code}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")

    def _begin(self, arguments: Sequence[str]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=subprocess.PIPE,  # whose end tells it that this process has ended
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C reaches this process, which ends it
            )

    def _close(self) -> None:
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
            self._process = None
