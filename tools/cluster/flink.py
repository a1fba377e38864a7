"""A Flink session cluster on this host, to try builds on: several workers, no Docker, no root.

To be run in the checkout, with the Python that has rnnpipe:

    python -m tools.cluster.flink install             # once
    python -m tools.cluster.flink start --workers 2
    rnnpipe build configs/vqa.yaml -- $(python -m tools.cluster.flink options)
    python -m tools.cluster.flink status
    python -m tools.cluster.flink stop

A worker is a TaskManager of Flink with one slot, and the Python process that it starts for a job,
with the Python that runs this command. Beam's job server stands between Beam and Flink. All of them
listen on the loopback interface alone.
"""

import argparse
import fcntl
import json
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.errors import UserError
from tools.cluster.components import Components, default_home
from tools.cluster.processes import Processes

REST, RPC, JOBS, ARTIFACTS = 8081, 6123, 8099, 8098
_TIMEOUT_SECONDS = 300.0  # seconds; beside other work a JVM takes minutes to come up
_WORKER = "rnnpipe.transforms.runners.worker"
# What was killed refuses two heartbeats, and is missed at once. On a busy machine a JVM that lives
# may be silent for half a minute, and a job that ends just then keeps its slots for ever.
_CONFIG = """\
env.java.opts.all: {java_options}
jobmanager.rpc.address: localhost
jobmanager.rpc.port: {rpc}
jobmanager.bind-host: localhost
jobmanager.memory.process.size: 1024m
taskmanager.bind-host: localhost
taskmanager.host: localhost
taskmanager.numberOfTaskSlots: 1
taskmanager.memory.process.size: {memory}m
rest.address: localhost
rest.bind-address: localhost
rest.port: {rest}
parallelism.default: {workers}
heartbeat.timeout: 180000
heartbeat.interval: 2000
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 2 s
"""


class Cluster:
    """The cluster whose components lie in one folder.

    Args:
        home: the folder.
    """

    def __init__(self, home: Path) -> None:
        self.components = Components(home)
        self.processes = Processes(home / "run")

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Locks the cluster: tests run in several processes at once."""
        self.components.home.mkdir(parents=True, exist_ok=True)
        with (self.components.home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def start(self, workers: int, memory: int) -> None:
        """Starts whatever does not run yet, and waits until it is ready.

        Raises:
            UserError: a component is missing, a port is taken, or a process does not come up; then
                what was started here is stopped.
        """
        self.components.check()
        if not self.processes.names():
            _check_ports()
        environment = self._configure(workers, memory)
        scripts = self.components.flink / "bin"
        commands = {"jobmanager": [f"{scripts}/jobmanager.sh", "start-foreground"]}
        for worker in range(workers):
            commands[f"taskmanager-{worker}"] = [f"{scripts}/taskmanager.sh", "start-foreground"]
        commands["jobserver"] = self._job_server()
        start = self.processes.start
        started = [name for name, command in commands.items() if start(name, command, environment)]
        try:
            self._await(workers)
        except BaseException:
            for name in reversed(started):
                self.processes.stop(name)
            raise

    def _configure(self, workers: int, memory: int) -> dict[str, str]:
        """Writes Flink's configuration and returns the environment of all processes."""
        run, flink = self.processes.folder, self.components.flink
        if not (run / "conf").is_dir():
            shutil.copytree(flink / "conf", run / "conf")
        (run / "conf" / "config.yaml").unlink(missing_ok=True)  # the older file's name is read too
        java_options = next(
            line.split("all:", 1)[1].strip()
            for line in (flink / "conf" / "config.yaml").read_text().splitlines()
            if line.strip().startswith("all:")
        )
        config = _CONFIG.format(
            java_options=java_options, rpc=RPC, rest=REST, workers=workers, memory=memory
        )
        (run / "conf" / "flink-conf.yaml").write_text(config)
        folders = {"FLINK_CONF_DIR": "conf", "FLINK_LOG_DIR": "log", "FLINK_PID_DIR": "pid"}
        for folder in folders.values():
            (run / folder).mkdir(exist_ok=True)
        self._worker.write_text(f'#!/bin/sh\nexec {sys.executable} -m {_WORKER} "$@"\n')
        self._worker.chmod(0o755)
        paths = {name: str(run / folder) for name, folder in folders.items()}
        return {**os.environ, **paths, "FLINK_HOME": str(flink)}

    @property
    def _worker(self) -> Path:
        """The script that starts a Python worker."""
        return self.processes.folder / "worker"

    def _job_server(self) -> list[str]:
        jar, run = self.components.job_server, self.processes.folder
        return [
            *("java", "-Xmx512m", "-jar", str(jar), f"--flink-master=localhost:{REST}"),
            *("--job-host=localhost", f"--job-port={JOBS}", f"--artifact-port={ARTIFACTS}"),
            *("--expansion-port=0", f"--artifacts-dir={run / 'artifacts'}"),
            f"--flink-conf-dir={run / 'conf'}",
        ]

    def _await(self, workers: int) -> None:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while registered() < workers or not _answers(JOBS):
            for name in self.processes.names():
                if not self.processes.is_running(name):
                    raise self._fault(name, "ended")
            if time.monotonic() > deadline:
                raise self._fault("jobmanager", f"does not answer after {_TIMEOUT_SECONDS:.0f} s")
            time.sleep(0.5)

    def _fault(self, name: str, what: str) -> UserError:
        return UserError(name, "a running process", f"it {what}", f"see {self.processes.log(name)}")

    def stop(self) -> None:
        """Stops all that was started."""
        for name in reversed(self.processes.names()):
            self.processes.stop(name)

    def status(self) -> str:
        """A line for each process, and how many workers Flink knows of."""
        names = self.processes.names()
        if not names:
            return "not started"
        pids = {name: self.processes.pid(name) for name in names}
        lines = [f"{name:16}{f'runs as {pid}' if pid else 'ended'}" for name, pid in pids.items()]
        return "\n".join([*lines, f"{registered()} workers; http://localhost:{REST}"])

    def options(self) -> list[str]:
        """The options with which Beam runs a pipeline here."""
        return [
            "--runner=FlinkRunner",
            f"--job_endpoint=localhost:{JOBS}",
            "--environment_type=PROCESS",
            f'--environment_config={{"command":"{self._worker}"}}',
        ]


def registered() -> int:
    """The number of workers that have registered with Flink."""
    try:
        with urllib.request.urlopen(f"http://localhost:{REST}/overview", timeout=5) as answer:
            return int(json.load(answer)["taskmanagers"])
    except (urllib.error.URLError, OSError):
        return 0


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("localhost", port)) == 0


def _check_ports() -> None:
    taken = [port for port in (REST, RPC, JOBS, ARTIFACTS) if _answers(port)]
    if taken:
        ports = ", ".join(map(str, taken))
        raise UserError("localhost", "free ports", f"another program on {ports}", "end that one")


def main() -> int:
    """Runs an action of the command line; returns 0, or 2 on a `UserError`."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("action", choices=("install", "start", "stop", "status", "options"))
    parser.add_argument("--home", type=Path, default=default_home(), help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--memory", type=int, default=1024, help="MiB a TaskManager (%(default)s)")
    options = parser.parse_args()
    cluster = Cluster(options.home)
    try:
        match options.action:
            case "install":
                cluster.components.install()
            case "start":
                cluster.start(options.workers, options.memory)
            case "stop":
                cluster.stop()
            case "status":
                print(cluster.status())
            case "options":
                print(*cluster.options())
    except UserError as fault:
        print(f"flink: {fault}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
