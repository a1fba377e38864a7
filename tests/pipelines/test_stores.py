"""Pipelines and verbs of the command line on object stores, and what users get wrong."""

import os
from importlib.util import find_spec

import fsspec
import pytest

from rnnpipe.cli import main as rnnpipe
from rnnpipe.pipelines.text_pairs import main
from rnnpipe.records.directory import RecordsDirectory
from tests.transforms.kinds import KINDS, contents

SIDES = [
    *("--source.kind", "parallel", "--source.source", "de", "--source.target", "en"),
    *("--text.tokenizer", "word", "--max_bad_fraction", "0.2"),
]


def test_a_pipeline_honours_beams_own_options(bucket, tmp_path, monkeypatch, capsys):
    KINDS["text_pair"](tmp_path / "raw", 40, 1)
    for name, content in contents(tmp_path / "raw").items():
        (bucket / "raw" / name).write_bytes(content)
    options = [
        "--s3_endpoint_url=" + os.environ["AWS_ENDPOINT_URL"],
        "--s3_access_key_id=any",
        "--s3_secret_access_key=thing",
    ]
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    fsspec.filesystem("s3").clear_instance_cache()
    paths = ["--source.path", str(bucket / "raw"), "--directory", str(bucket / "records")]
    assert main([*paths, *SIDES, "--", *options]) == 0
    assert sum(RecordsDirectory.open(bucket / "records").splits.values()) == 39
    capsys.readouterr()
    assert rnnpipe(["inspect", str(bucket / "records"), "--examples", "1", "--check"]) == 0
    shown = capsys.readouterr().out
    assert "text_pair" in shown
    assert "train, record 1" in shown
    assert "Checked: all 39 records are whole." in shown


@pytest.mark.parametrize(
    ("path", "output", "expected"),
    [
        ("{bucket}/none", "records", "expected a folder with parallel text files, got nothing"),
        ("s3://no-such-bucket/raw", "records", "got nothing there; correct data.source.path"),
        ("raw", "s3://no-such-bucket/records", "got no such bucket; choose another directory"),
        ("what://bucket/raw", "records", "expected a kind of object store, got what; name a"),
    ],
)
def test_wrong_paths_are_reported(path, output, expected, bucket, tmp_path, monkeypatch, capsys):
    KINDS["text_pair"](tmp_path / "raw", 40, 1)
    monkeypatch.chdir(tmp_path)
    paths = ["--source.path", path.format(bucket=bucket), "--directory", output]
    assert main([*paths, *SIDES]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "records").exists()


def test_missing_keys_are_reported(bucket, monkeypatch, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    fsspec.filesystem("s3").clear_instance_cache()
    assert main(["--source.path", str(bucket / "raw"), "--directory", "records", *SIDES]) == 2
    printed = capsys.readouterr().err
    assert "expected an object store that gives access, got NoCredentialsError" in printed
    assert "AWS_ACCESS_KEY_ID" in printed


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="what it asks for is installed")
def test_a_missing_extra_is_reported(capsys):
    assert main(["--source.path", "gs://bucket/raw", "--directory", "records", *SIDES]) == 2
    assert "got none; pip install 'rnnpipe[gcp]'" in capsys.readouterr().err


def test_output_files_of_rnnpipe_are_on_a_disk(bucket, capsys):
    path = f"data.source.path={bucket}/raw"
    assert rnnpipe(["build", "configs/sentiment.yaml", "--set", path]) == 2
    assert "got an object store; name one, or write it there" in capsys.readouterr().err
