import errno
import os

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.disk_full import report_full_disk

FIX = "make room, or go elsewhere"


@pytest.mark.parametrize(
    ("number", "got"), [(errno.ENOSPC, "a full disk"), (errno.EDQUOT, "a full quota")]
)
@pytest.mark.parametrize("remote", [False, True])
def test_a_full_disk_of_a_worker_is_reported(number, got, remote, tmp_path):
    fault = OSError(number, os.strerror(number))
    expected = f"{tmp_path}: expected room for records, got {got}; make room, or go"
    with (
        pytest.raises(UserError, match=expected),
        report_full_disk("records", tmp_path, FIX),
    ):
        raise RuntimeError(f"Traceback: {fault}") if remote else fault


def test_other_errors_pass_unchanged(tmp_path):
    with (
        pytest.raises(FileNotFoundError),
        report_full_disk("records", tmp_path, FIX),
    ):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def test_a_full_disk_behind_a_failing_clean_up_is_reported(tmp_path):
    def write():
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "source.json")
        finally:
            raise ValueError("seek of closed file")

    with pytest.raises(UserError, match="got a full disk"), report_full_disk("it", tmp_path, FIX):
        write()
