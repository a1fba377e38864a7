import ctypes
import subprocess
import sys

import pytest

from rnnpipe.training import malloc

# A large block is filled and freed, time and again, as the logits of training steps are.
_STEPS = """
import resource
from rnnpipe.training.malloc import tune_malloc
if {tune}:
    assert tune_malloc()
for _ in range(2):
    b"x" * (100 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    b"x" * (100 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, tune):
    code = _STEPS.format(tune=tune)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="needs glibc")
def test_freed_blocks_are_reused():
    pages = 100 << 20 >> 12
    assert faults(tune=True) < pages / 10
    assert faults(tune=False) > 5 * faults(tune=True) + pages / 10


def test_nothing_happens_where_the_c_library_is_another(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not malloc.tune_malloc()


def test_nothing_happens_on_another_system(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not malloc.tune_malloc()
