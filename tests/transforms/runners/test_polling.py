import threading

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.paths import StorePath
from rnnpipe.transforms.runners import polling
from rnnpipe.transforms.runners.polling import watching


@pytest.mark.parametrize(
    "fault", [FileNotFoundError("gone"), UserError("s3://b", "access", "none", "wait")]
)
def test_after_a_fault_it_looks_again(fault, tmp_path, monkeypatch):
    monkeypatch.setattr(polling, "_SECONDS", 0.001)
    looks, enough = [], threading.Event()

    def look():
        looks.append(None)
        if len(looks) == 2:
            enough.set()
        raise fault

    with watching(tmp_path, look):
        assert enough.wait(10)


def test_a_store_is_not_asked_as_often(monkeypatch):
    monkeypatch.setattr(polling, "_SECONDS", 0.001)
    looks = []
    with watching(StorePath("memory://records"), lambda: looks.append(None)):
        threading.Event().wait(0.1)
    assert not looks
