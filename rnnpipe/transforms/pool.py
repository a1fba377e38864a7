"""Local worker processes, forked from one that has imported Beam: they start at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2 as messages
from apache_beam.portability.api import beam_fn_api_pb2_grpc as services

_COMMAND = [sys.executable, "-m", "rnnpipe.transforms.worker", "--fork"]


class WorkerPool(services.BeamFnExternalWorkerPoolServicer):
    """Starts workers when a runner asks for them, as an `EXTERNAL` environment does.

    A worker ends with the pipeline that it was started for, or with this process.
    """

    def __enter__(self) -> str:
        """Starts the service and returns its address."""
        self._forker = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, text=True)
        self._server = grpc.server(ThreadPoolExecutor(1))
        services.add_BeamFnExternalWorkerPoolServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("localhost:0")
        self._server.start()
        return f"localhost:{port}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(None).wait()
        with suppress(BrokenPipeError):  # it was killed
            self._stdin.close()
        self._forker.wait()

    @property
    def _stdin(self) -> Any:
        return self._forker.stdin

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 - Beam's name
        """Has a worker forked; Beam calls it."""
        try:
            self._stdin.write(f"{request.worker_id} {request.provision_endpoint.url}\n")
            self._stdin.flush()
        except BrokenPipeError:
            return messages.StartWorkerResponse(error="the process that forks workers has ended")
        return messages.StartWorkerResponse()
