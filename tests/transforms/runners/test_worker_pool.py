import io
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import grpc
import pytest

from rnnpipe.errors import UserError
from rnnpipe.transforms.runners import runner
from rnnpipe.transforms.runners.runner import Runner
from rnnpipe.transforms.runners.worker_pool import WorkerPool
from rnnpipe.transforms.runners.worker_socket import WorkerSocket


def _write_pid(number, folder):
    (folder / str(number)).write_text(f"{os.getpid()} {os.getppid()}")


def _write_pids(pipeline, numbers, folder):
    return pipeline | beam.Create(numbers) | beam.Map(_write_pid, folder)


def test_pipelines_run_one_after_the_other_on_forked_workers(tmp_path):
    with Runner(2).open() as run:
        for number in (1, 2):
            run(partial(_write_pids, numbers=[number], folder=tmp_path))
    (first, parent), (second, same) = (
        (tmp_path / str(number)).read_text().split() for number in (1, 2)
    )
    assert first != second  # a worker serves one pipeline
    assert parent == same != str(os.getpid())


def _listening(pid):
    """The addresses at which a process listens: ports of any interface, and paths of sockets."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it has just been closed
            sockets.add(os.readlink(link).removeprefix("socket:[").rstrip("]"))
    addresses = []
    for name in ("tcp", "tcp6"):
        rows = [row.split() for row in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()]
        addresses += [row[1] for row in rows[1:] if row[9] in sockets and row[3] == "0A"]
    rows = [row.split() for row in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]]
    return addresses + [row[7] for row in rows if row[6] in sockets and row[3] == "00010000"]


def _write_addresses(number, folder, runner_pid):
    for pid in (runner_pid, os.getpid(), os.getppid()):
        (folder / f"{pid}").write_text("\n".join(_listening(pid)))


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="sockets are listed by Linux alone")
def test_only_this_user_can_connect_to_runner_and_workers(tmp_path, monkeypatch):
    (tmp_path / "addresses").mkdir()
    modes = {}
    make = tempfile.TemporaryDirectory

    def note_mode(*args, **options):
        folder = make(*args, **options)
        modes[folder.name] = Path(folder.name).stat().st_mode & 0o777
        return folder

    monkeypatch.setattr(tempfile, "TemporaryDirectory", note_mode)
    Runner(2).run(
        lambda pipeline: (
            pipeline
            | beam.Create(range(4))
            | beam.Map(_write_addresses, tmp_path / "addresses", os.getpid())
        )
    )
    found = {path.name: path.read_text().split() for path in (tmp_path / "addresses").iterdir()}
    assert len(found) >= 3
    (address,) = found.pop(str(os.getpid()))
    assert modes[str(Path(address).parent)] == 0o700
    assert not any(found.values())  # workers listen nowhere
    assert not Path(address).parent.exists()


@pytest.mark.parametrize("name", ["with space", "x" * 90, "per%20cent", "plain"])
def test_the_path_of_a_socket_is_one_that_it_may_have(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    connection = WorkerSocket(lambda worker, address: None)
    folder = Path(connection.environment.url)
    assert re.fullmatch(r"[\w./-]{1,90}", str(folder))
    assert (folder.stat().st_mode & 0o777, folder.owner()) == (0o700, tmp_path.owner())
    connection.close()
    assert not folder.exists()


def _die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def _give_up(number):
    os._exit(3)


@pytest.mark.parametrize("end", [_die, _give_up])
def test_a_worker_that_ends_too_soon_ends_the_pipeline(end, monkeypatch, capfd):
    # Beam waits for ever for a step whose output nothing reads.
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.5)
    before = signal.getsignal(signal.SIGUSR1), threading.excepthook
    with pytest.raises(UserError, match="got one that was killed or failed; build again"):
        Runner(2).run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(end))
    assert (signal.getsignal(signal.SIGUSR1), threading.excepthook) == before
    assert "Traceback" not in capfd.readouterr().err


def test_a_connection_that_breaks_after_the_last_read_is_ignored(monkeypatch):
    monkeypatch.setattr("rnnpipe.transforms.runners.worker_pool._NOTICE_SECONDS", 0.01)
    reported, pool = [], WorkerPool()
    pool._hook = reported.append
    thrown = [
        SimpleNamespace(exc_type=kind, thread=SimpleNamespace(name=name))
        for kind, name in (
            (grpc.RpcError, "read_grpc_client_inputs"),
            (grpc.RpcError, "forward_grpc_outputs"),
            (ValueError, "read_grpc_client_inputs"),
        )
    ]
    for each in thrown:
        pool._report(each)
    assert reported == thrown[1:]


class _Lines:
    """What a process that forks workers writes, as the test goes on."""

    def __init__(self):
        self.lines, self.taken = queue.Queue(), threading.Event()

    def __iter__(self):
        while (line := self.lines.get()) is not None:
            yield line
            self.taken.set()  # what reads them has done with this one


def test_a_worker_of_an_earlier_pipeline_may_end():
    pool, said = WorkerPool(), _Lines()
    forker: Any = SimpleNamespace(stdout=said, stdin=io.StringIO())
    pool._forker, pool._is_closing = forker, False
    watcher = threading.Thread(target=pool._watch)
    watcher.start()
    for name in ("worker_1", "worker_2"):
        pool.begin()
        pool.start(name, "unix:nowhere")
    for name, has_lost in (("worker_1", False), ("worker_2", True)):
        said.taken.clear()
        said.lines.put(f"{name}\n")
        assert said.taken.wait(10)
        assert pool.has_lost.is_set() == has_lost
    pool.begin()
    assert not pool.has_lost.is_set()
    said.lines.put(None)  # the process itself has ended: no pipeline can do without
    watcher.join()
    pool.begin()
    assert pool.has_lost.is_set()


def test_a_pipeline_survives_the_end_of_an_earlier_worker(monkeypatch):
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.1)
    with Runner(2).open() as run:
        with pytest.raises(UserError, match="got one that was killed or failed"):
            run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(_give_up))
        run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(time.sleep))


def test_a_lost_runner_is_no_traceback_of_a_worker():
    """Beam's threads raise it where the process that runs the pipeline is killed."""
    code = (
        "import threading, grpc\n"
        "from rnnpipe.transforms.runners import worker\n"
        "worker._silence_beam()\n"
        "def fail(kind): raise kind('in a thread')\n"
        "for kind in (grpc.RpcError, ValueError):\n"
        "    thread = threading.Thread(target=fail, args=(kind,))\n"
        "    thread.start(), thread.join()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "ValueError: in a thread" in done.stderr
    assert "RpcError" not in done.stderr
