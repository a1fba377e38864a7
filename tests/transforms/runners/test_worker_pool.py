import io
import os
import queue
import signal
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import grpc
import pytest

from rnnpipe.errors import UserError
from rnnpipe.transforms.runners import runner
from rnnpipe.transforms.runners.runner import Runner
from rnnpipe.transforms.runners.worker_pool import WorkerPool


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
        request = SimpleNamespace(
            worker_id=name, provision_endpoint=SimpleNamespace(url="localhost:1")
        )
        assert not pool.StartWorker(request, None).error
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
