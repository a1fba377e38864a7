import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnpipe.pipelines import vqa
from rnnpipe.records.directory import RecordsDirectory

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def arguments(drawn_vqa, tmp_path):
    options = {
        "source.kind": "vqa_v2",
        "source.path": drawn_vqa,
        "directory": tmp_path / "records",
    }
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def test_it_builds_and_reuses_records(arguments, tmp_path, capsys, count_of):
    assert vqa.main([*arguments, "--image.size", "32"]) == 0
    printed = capsys.readouterr()
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 96
    assert count_of(printed.out, "train") == records.splits["train"]
    assert count_of(printed.out, "dead letters") == 0
    assert "96/96" in printed.err
    assert vqa.main([*arguments, "--image.size", "32"]) == 0
    assert "holds these records already" in capsys.readouterr().out


def test_mistakes_are_reported(arguments, drawn_vqa, capsys):
    for image in (drawn_vqa / "train").iterdir():
        image.write_bytes(b"")
    assert vqa.main([*arguments, "--", "--job_name=broken"]) == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("rnnpipe.pipelines.vqa: build.max_bad_fraction: expected at most 0.05")
    )


def test_help_documents_where_beams_options_go():
    command = [sys.executable, "-m", "rnnpipe.pipelines.vqa", "--help"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "Options after `--` are Beam's own" in printed


def test_a_killed_build_leaves_nothing_visible_and_the_next_one_cleans_up(arguments, tmp_path):
    command = [
        sys.executable,
        "-m",
        "rnnpipe.pipelines.vqa",
        *arguments,
        "--records_per_shard",
        "1",
    ]
    output = tmp_path / "records"
    build = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("records.incomplete-*/records/*.tfrecord-*")):
        assert build.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(build.pid, signal.SIGKILL)
    build.wait()
    assert not output.exists()
    assert list(tmp_path.glob("records.incomplete-*"))

    assert vqa.main([*arguments, "--records_per_shard", "1"]) == 0
    assert sum(RecordsDirectory.open(output).splits.values()) == 96
    assert not list(tmp_path.glob("records.incomplete-*"))
