"""Checks that the addresses in Beam's options are reachable."""

import socket
from urllib.parse import urlsplit

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
)

from rnnpipe.errors import UserError

_SECONDS = 10.0


def check_reachable(options: PipelineOptions) -> None:
    """Checks that the cluster answers: Beam would wait for minutes without a message.

    Args:
        options: Beam's; a Flink master without a port is not checked.

    Raises:
        UserError: nothing answers there.
    """
    named = {
        "--job_endpoint": options.view_as(PortableOptions).job_endpoint,
        "--flink_master": options.view_as(FlinkRunnerOptions).flink_master,
    }
    for option, address in named.items():
        if address and (reached := _host_and_port(address)):
            _check(option, *reached)
            return  # a job server knows its master itself


def _host_and_port(address: str) -> tuple[str, int] | None:
    """None of what is not on a network, such as `[local]`, or has no port."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port) if host and port else None


def _check(option: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        got = f"none ({error.strerror or error})"
        fix = "start it, or name the address of one that runs"
        raise UserError(f"{option} {host}:{port}", "a server that answers", got, fix) from error
