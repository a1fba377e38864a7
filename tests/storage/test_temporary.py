import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rnnpipe.storage.temporary import collecting_temporary_files


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder of temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_temporary_files_of_libraries_and_children_are_removed(folder):
    before = tempfile.gettempdir()
    with collecting_temporary_files():
        (collected,) = folder.iterdir()
        assert Path(tempfile.mkdtemp()).parent == collected
        made = subprocess.check_output(["mktemp"], text=True).strip()
        assert Path(made).parent == collected
        assert collected.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []
    assert tempfile.gettempdir() == before == os.environ["TMPDIR"]


def test_those_of_a_killed_command_are_removed_by_the_next(folder):
    program = (
        "import os, tempfile\n"
        "from rnnpipe.storage.temporary import collecting_temporary_files\n"
        "with collecting_temporary_files():\n"
        "    tempfile.mkdtemp(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    (left,) = folder.iterdir()
    with collecting_temporary_files():
        assert not left.exists()


def test_without_a_place_the_block_runs_all_the_same(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    with collecting_temporary_files():
        assert tempfile.gettempdir() == "/proc/nowhere"


def test_errors_of_the_block_pass(folder):
    with pytest.raises(OSError, match="mine"), collecting_temporary_files():
        raise OSError("mine")
    assert list(folder.iterdir()) == []
