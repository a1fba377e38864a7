"""What holds for every kind of record, wherever the build runs."""

import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from rnnpipe.errors import UserError
from rnnpipe.records.specs import SPECS
from rnnpipe.transforms import build as build_module
from rnnpipe.transforms import parcels, sorting, survey
from rnnpipe.transforms.runner import Runner
from tests.transforms.kinds import KINDS, contents


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_every_kind_of_record_is_tried():
    with_features = {"caption_features", "video_features"}  # they differ in a network alone
    assert {*KINDS, *with_features} == SPECS.keys()


def test_two_workers_write_the_same_bytes_as_this_process(kind, tmp_path):
    raw = KINDS[kind](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)).path
        for workers in (1, 2)
    )
    assert contents(one) == contents(two)
    assert len([name for name in contents(one) if "tfrecord" in name]) >= 5


def test_all_good_records_arrive_and_every_bad_one_is_named_once(kind, tmp_path):
    amount = 100 if kind in {"vqa", "caption", "video"} else 1000
    raw = KINDS[kind](tmp_path / "raw", amount, amount // 100)
    keys = [
        reference.key
        for piece in raw.source.pieces()
        for reference in raw.source.read(piece)
        if reference.key not in raw.dead
    ]
    records = raw.build(records_per_shard=100).run(tmp_path / "records")
    letters = list(records.dead_letters())
    assert [(letter["key"], letter["step"]) for letter in letters] == sorted(raw.dead.items())
    assert all(letter["reason"] and letter["source"] for letter in letters)
    assert sum(records.splits.values()) == len(keys) == records.stats["written"]
    assert records.stats["read"] == len(keys) + len(raw.dead)


def test_too_many_bad_records_stop_the_build_which_says_so(kind, tmp_path):
    raw = KINDS[kind](tmp_path / "raw", 40, 4)
    with pytest.raises(UserError, match=r"at most 0\.05 of the raw records to be bad") as fault:
        raw.build().run(tmp_path / "records")
    assert f"{len(raw.dead)} x {next(iter(raw.dead.values()))}" in str(fault.value)
    assert not list(tmp_path.glob("records*"))


def test_what_fits_into_memory_changes_no_byte(kind, tmp_path, monkeypatch):
    build = KINDS[kind](tmp_path / "raw", 40, 1).build(max_bad_fraction=0.2)
    whole = build.run(tmp_path / "whole").path
    monkeypatch.setattr(sorting, "MOST_VALUES", 3)
    monkeypatch.setattr(parcels, "MOST_BYTES", 500)
    monkeypatch.setattr(survey, "_MOST_IN_WORKER", 5)
    monkeypatch.setattr(build_module, "_LEAST_BUCKETS", 3)
    little = build.run(tmp_path / "little").path
    assert contents(whole) == contents(little)


def test_what_a_cluster_would_shuffle_itself_gives_the_same_bytes(tmp_path):
    build = KINDS["text_pair"](tmp_path / "raw", 40, 1).build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here").path
    elsewhere = Runner(beam_args=[f"--runner={FnApiRunner.__module__}.{FnApiRunner.__name__}"])
    assert not elsewhere.is_local  # so nothing waits in files
    there = build.run(tmp_path / "there", runner=elsewhere).path
    assert contents(here) == contents(there)
