"""A worker process: Beam's own, but silent unless something fails, and a local one even then.

It is the command of a `PROCESS` environment of a cluster, and what local workers are forked from:

    --environment_type=PROCESS --environment_config={"command":"<a script that runs this module>"}
"""

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NoReturn

from rnnpipe.transforms.runners.s3_options import use_s3_options_from_json


def main() -> None:
    """Runs a worker for the runner of the command line, or forks workers (`--fork`)."""
    # Before Beam is imported: Beam adds no handler where there is one.
    errors = logging.StreamHandler()
    errors.setLevel(logging.ERROR)
    logging.getLogger().addHandler(errors)
    parser = argparse.ArgumentParser()
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--id")
    parser.add_argument("--provision_endpoint")
    options, _ = parser.parse_known_args()
    if options.fork:
        _fork_workers()
    else:
        _work(options.id, options.provision_endpoint)


def _fork_workers() -> None:
    """Forks a worker for every line of standard input, until that ends and all workers have ended.

    Beam, whose import takes seconds, is imported once for all of them. The name of every worker
    that is killed, or fails, is written to standard output.
    """
    # The process that runs the pipeline gets them too, and ends this one and its workers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for module in ("apache_beam.runners.worker.sdk_worker_main", "rnnpipe.transforms.build"):
        importlib.import_module(module)
    _silence_beam()
    workers: dict[int, str] = {}
    signal.signal(signal.SIGCHLD, lambda number, frame: _report_lost(workers))
    for line in sys.stdin:
        worker, endpoint = line.split()
        with _blocking_signal(signal.SIGCHLD):  # until its name is known
            pid = os.fork()
            if pid:
                workers[pid] = worker
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            _work_and_end(worker, endpoint)
    while _report_lost(workers):
        time.sleep(0.05)


def _silence_beam() -> None:
    """Has Beam only send its exceptions to the runner, which reports them; it also logs them.

    Its `sdk_worker` prints their tracebacks, too (as of Beam 2.77). Its threads that read from the
    runner raise where that was killed.
    """
    import grpc

    logging.getLogger("apache_beam").setLevel(logging.CRITICAL + 1)
    sdk_worker = importlib.import_module("apache_beam.runners.worker.sdk_worker")
    vars(sdk_worker)["print"] = lambda *values, **options: None
    report = threading.excepthook

    def report_others(fault: threading.ExceptHookArgs) -> None:
        if not issubclass(fault.exc_type, grpc.RpcError):
            report(fault)

    threading.excepthook = report_others


@contextmanager
def _blocking_signal(number: signal.Signals) -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})


def _report_lost(workers: Mapping[int, str]) -> bool:
    """Reports all failed workers that have ended; returns whether others still run."""
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[1]:
                with suppress(BrokenPipeError):  # the main process has ended
                    os.write(sys.stdout.fileno(), f"{workers[ended[0]]}\n".encode())
    except ChildProcessError:
        return False
    return True


def _work_and_end(worker: str, provision_endpoint: str) -> NoReturn:
    """Exits without waiting for Beam's threads; Beam has logged any error."""
    status = 1
    try:
        _work(worker, provision_endpoint, local=True)
        status = 0
    finally:
        os._exit(status)


def _work(worker: str, provision_endpoint: str, local: bool = False) -> None:
    """Does what a runner asks for, until it asks for no more."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2 as messages
    from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
    from apache_beam.runners.worker import sdk_worker_main
    from google.protobuf import json_format, text_format

    with grpc.insecure_channel(provision_endpoint) as channel:
        service = services.ProvisionServiceStub(channel)
        request = messages.GetProvisionInfoRequest()
        info = service.GetProvisionInfo(request, metadata=[("worker_id", worker)]).info
    control = text_format.MessageToString(info.control_endpoint)
    logs = text_format.MessageToString(info.logging_endpoint)
    # Beam's worker takes its addresses from here; without one for logs, they go to the terminal.
    os.environ |= {"WORKER_ID": worker, "CONTROL_API_SERVICE_DESCRIPTOR": control}
    os.environ |= {} if local else {"LOGGING_API_SERVICE_DESCRIPTOR": logs}
    os.environ["PIPELINE_OPTIONS"] = json_format.MessageToJson(info.pipeline_options)
    use_s3_options_from_json(os.environ["PIPELINE_OPTIONS"])
    sdk_worker_main.main(sys.argv[:1])


if __name__ == "__main__":
    main()
