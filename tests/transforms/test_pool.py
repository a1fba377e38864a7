import os
import signal
import threading

import apache_beam as beam
import pytest

from rnnpipe.errors import UserError
from rnnpipe.transforms import runner
from rnnpipe.transforms.runner import Runner


def _write_pid(number, folder):
    (folder / str(number)).write_text(f"{os.getpid()} {os.getppid()}")


def test_pipelines_run_one_after_the_other_on_forked_workers(tmp_path):
    with Runner(2).open() as run:
        for number in (1, 2):
            run(lambda p, n=number: p | beam.Create([n]) | beam.Map(_write_pid, tmp_path))
    (first, parent), (second, same) = (
        (tmp_path / str(number)).read_text().split() for number in (1, 2)
    )
    assert first != second  # a worker serves one pipeline
    assert parent == same != str(os.getpid())


def _die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_ends_the_pipeline(monkeypatch, capfd):
    # Beam waits for ever for a step whose output nothing reads.
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.5)
    before = signal.getsignal(signal.SIGUSR1), threading.excepthook
    with pytest.raises(UserError, match="got one that was killed; build again"):
        Runner(2).run(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(_die))
    assert (signal.getsignal(signal.SIGUSR1), threading.excepthook) == before
    assert "Traceback" not in capfd.readouterr().err
