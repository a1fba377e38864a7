import errno
import os

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.disk_full import check_room, report_full_disk

FIX = "make room, or go elsewhere"


@pytest.mark.parametrize(
    ("number", "got"),
    [
        (errno.ENOSPC, "a full disk"),
        (errno.EDQUOT, "a full quota"),
        (errno.EFBIG, "a limit of the size of files"),
    ],
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


def test_without_a_folder_the_exception_names_the_file():
    fault = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/scores.json")
    expected = "runs/scores.json: expected room for it, got a full disk"
    with pytest.raises(UserError, match=expected), report_full_disk("it", None, FIX):
        raise fault


def test_room_is_checked_before_anything_is_written(tmp_path):
    check_room(tmp_path, 0)
    check_room(tmp_path, 1000)
    with pytest.raises(OSError, match=f"{os.strerror(errno.ENOSPC)}|{os.strerror(errno.EFBIG)}"):
        check_room(tmp_path, 1 << 60)
    assert list(tmp_path.iterdir()) == []
