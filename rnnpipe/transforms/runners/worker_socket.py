"""How a local runner and its workers talk: through a socket that only this user can open.

Beam's own (`GrpcServer` in its `fn_api_runner.worker_handlers`, as of Beam 2.77) listens on ports
of all interfaces and asks nobody who they are. Whoever connects is sent the pipeline and the raw
data, and sends back what is unpickled.
"""

import itertools
import re
import tempfile
from collections.abc import Callable
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc as services
from apache_beam.portability.api import beam_provision_api_pb2_grpc as provision_services
from apache_beam.portability.api import beam_runner_api_pb2 as messages
from apache_beam.runners.portability.fn_api_runner import worker_handlers as beams
from apache_beam.runners.worker.data_plane import BeamFnDataServicer
from apache_beam.transforms.environments import (
    Environment,
    ExternalEnvironment,
    python_sdk_capabilities,
)
from apache_beam.utils import thread_pool_executor

_URN = "rnnpipe:environment:local:v1"
_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.max_ping_strikes", 0),  # workers ask every 20 seconds whether it is there
]
_SAFE_FOLDER = re.compile(r"[\w./-]{1,60}", re.ASCII)  # a socket's path has 107 characters at most
_SHUTDOWN_SECONDS = 5.0  # as Beam has it
_BEAMS_SERVER = beams.GrpcServer

StartWorker = Callable[[str, str], None]
"""Starts a worker of a name, which asks at an address for what to do."""

_starters: dict[str, StartWorker] = {}
_numbers = itertools.count()


class LocalEnvironment(ExternalEnvironment):
    """The environment of workers that this process starts, and of no others."""

    def to_runner_api_parameter(self, context: Any) -> Any:
        """What a runner is sent; Beam calls it."""
        return _URN, super().to_runner_api_parameter(context)[1]


def _read_environment(
    payload: Any, capabilities: Any, artifacts: Any, resource_hints: Any, context: Any
) -> LocalEnvironment:
    del context
    return LocalEnvironment(payload.endpoint.url, None, capabilities, artifacts, resource_hints)


class _Server:
    """All services of a runner for its workers, behind one socket.

    It has the attributes of Beam's `GrpcServer`, whose ports are addresses here.
    """

    def __init__(self, folder: str, state: Any, provision_info: Any, worker_manager: Any) -> None:
        address = f"unix:{folder}/{next(_numbers)}"
        self.control_port = self.data_port = self.state_port = self.logging_port = address
        self.control_handler = beams.BeamFnControlServicer(worker_manager)
        self.data_plane_handler = BeamFnDataServicer(beams.DATA_BUFFER_TIME_LIMIT_MS)
        server = grpc.server(thread_pool_executor.shared_unbounded_instance(), options=_OPTIONS)
        provision = beams.BasicProvisionService(provision_info.provision_info, worker_manager)
        provision_services.add_ProvisionServiceServicer_to_server(provision, server)
        services.add_BeamFnControlServicer_to_server(self.control_handler, server)
        services.add_BeamFnDataServicer_to_server(self.data_plane_handler, server)
        services.add_BeamFnStateServicer_to_server(beams.GrpcStateServicer(state), server)
        server.add_insecure_port(address)
        server.start()
        self._server = server

    def close(self) -> None:
        """Ends all connections."""
        self.control_handler.done()
        self._server.stop(_SHUTDOWN_SECONDS).wait()


class _Handler(beams.GrpcWorkerHandler):
    """A worker of a `LocalEnvironment`, as its runner knows it."""

    def __init__(self, payload: Any, state: Any, provision_info: Any, server: Any) -> None:
        self._start = _starters[payload.endpoint.url]
        super().__init__(state, provision_info, server)

    def start_worker(self) -> None:
        """Starts it; Beam calls it."""
        self._start(self.worker_id, self.control_address)

    def stop_worker(self) -> None:
        """Does nothing: it ends with its connection."""

    def port_from_worker(self, port: Any) -> str:
        """The address of a service; Beam calls it."""
        return str(port)


def _make_server(state: Any, provision_info: Any, worker_manager: Any) -> Any:
    """The server of a runner: Beam's own, unless its workers are those of a `LocalEnvironment`."""
    for environment in worker_manager._environments.values():
        if environment.urn == _URN:
            folder = messages.ExternalPayload.FromString(environment.payload).endpoint.url
            return _Server(folder, state, provision_info, worker_manager)
    return _BEAMS_SERVER(state, provision_info, worker_manager)


class WorkerSocket:
    """A folder of sockets that only this user can open, for workers that `start` starts.

    Args:
        start: called by the runner for each worker.
    """

    def __init__(self, start: StartWorker) -> None:
        parent = tempfile.gettempdir()
        safe = parent if _SAFE_FOLDER.fullmatch(parent) else "/tmp"
        self._folder = tempfile.TemporaryDirectory(prefix="rnnpipe-", dir=safe)
        _starters[self._folder.name] = start

    @property
    def environment(self) -> LocalEnvironment:
        """That of the workers, for Beam's `FnApiRunner`."""
        return LocalEnvironment(self._folder.name, capabilities=python_sdk_capabilities())

    def close(self) -> None:
        """Removes the folder."""
        del _starters[self._folder.name]
        self._folder.cleanup()


Environment.register_urn(_URN, messages.ExternalPayload, _read_environment)
beams.WorkerHandler.register_environment(_URN, messages.ExternalPayload)(_Handler)
beams.GrpcServer = _make_server
