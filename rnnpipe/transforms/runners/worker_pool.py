"""Local worker processes, forked from one that has imported Beam: they start at once."""

import subprocess
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

import grpc

from rnnpipe.transforms.runners.worker_socket import LocalEnvironment, WorkerSocket

_COMMAND = [sys.executable, "-m", "rnnpipe.transforms.runners.worker", "--fork"]
_DATA_READER = "read_grpc_client_inputs"  # as Beam calls its thread
_NOTICE_SECONDS = 5.0

NO_FORKER = "the process that forks workers has ended"


class WorkerPool:
    """Starts workers when a runner asks for them.

    They talk through a socket, so that no other user can take a worker's place or a runner's. A
    worker ends with the pipeline that it was started for, or with this process.
    """

    def __init__(self) -> None:
        self.has_lost = threading.Event()
        """Whether a worker of this pipeline was killed or failed, or what forks them."""
        self._has_ever_lost = threading.Event()
        self._workers: set[str] = set()
        self._has_ended = False
        self._lock = threading.Lock()

    def __enter__(self) -> "WorkerPool":
        """Starts the process that forks workers."""
        pipe = subprocess.PIPE
        self._forker = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, encoding="utf-8")
        self._is_closing = False
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        self._hook, threading.excepthook = threading.excepthook, self._report
        self._socket = WorkerSocket(self.start)
        return self

    @property
    def environment(self) -> LocalEnvironment:
        """That of the workers, for Beam's `FnApiRunner`."""
        return self._socket.environment

    def begin(self) -> None:
        """Forgets the workers of the pipeline before: what becomes of them no longer matters."""
        with self._lock:
            self._workers.clear()
            if not self._has_ended:
                self.has_lost.clear()

    def _watch(self) -> None:
        for line in self._forker.stdout or ():
            self._has_ever_lost.set()
            with self._lock:
                if line.strip() in self._workers:
                    self.has_lost.set()
        if not self._is_closing:
            with self._lock:
                self._has_ended = True
                self._has_ever_lost.set()
                self.has_lost.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closing = True
        with suppress(BrokenPipeError):  # it was killed
            self._stdin.close()
        self._forker.wait()
        self._watcher.join()
        threading.excepthook = self._hook
        if self._forker.stdout is not None:
            self._forker.stdout.close()
        self._socket.close()

    def _report(self, thrown: threading.ExceptHookArgs) -> None:
        """Reports what goes wrong in a thread, unless a connection to a worker has broken.

        Beam raises an exception of its data reader where that data is needed; a worker that
        ends when its work is done may break the connection before it is closed. For others a worker
        must have been lost; they notice before the process that forks workers reports it.
        """
        is_broken = issubclass(thrown.exc_type, grpc.RpcError)
        reads_data = thrown.thread is not None and thrown.thread.name == _DATA_READER
        if not (is_broken and (reads_data or self._has_ever_lost.wait(_NOTICE_SECONDS))):
            self._hook(thrown)

    @property
    def _stdin(self) -> Any:
        return self._forker.stdin

    def start(self, worker: str, address: str) -> None:
        """Has a worker forked.

        Args:
            worker: its name.
            address: where it asks for what to do.

        Raises:
            RuntimeError: the process that forks workers has ended.
        """
        with self._lock:
            self._workers.add(worker)
        try:
            self._stdin.write(f"{worker} {address}\n")
            self._stdin.flush()
        except BrokenPipeError as fault:
            raise RuntimeError(NO_FORKER) from fault
