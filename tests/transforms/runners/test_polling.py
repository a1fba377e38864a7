import threading

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.store_path import StorePath
from rnnpipe.transforms.runners import polling as polling_module
from rnnpipe.transforms.runners.polling import poll_in_background


@pytest.mark.parametrize(
    "fault", [FileNotFoundError("gone"), UserError("s3://b", "access", "none", "wait")]
)
def test_polling_continues_after_a_fault(fault, tmp_path, monkeypatch):
    monkeypatch.setattr(polling_module, "_SECONDS", 0.001)
    polls, enough = [], threading.Event()

    def poll():
        polls.append(None)
        if len(polls) == 2:
            enough.set()
        raise fault

    with poll_in_background(tmp_path, poll):
        assert enough.wait(10)


def test_a_store_is_polled_less_often_than_a_disk(monkeypatch):
    monkeypatch.setattr(polling_module, "_SECONDS", 0.001)
    polls = []
    with poll_in_background(StorePath("memory://records"), lambda: polls.append(None)):
        threading.Event().wait(0.1)
    assert not polls
