"""What holds for every kind of record, wherever the build runs."""

from dataclasses import replace
from functools import partial
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from rnnpipe.errors import UserError
from rnnpipe.records.specs import SPECS
from rnnpipe.sources.source import Reference
from rnnpipe.storage.paths import local_path
from rnnpipe.transforms import build as build_module
from rnnpipe.transforms.passes import count as count_pass
from rnnpipe.transforms.passes import external_sort
from rnnpipe.transforms.passes import shuffle as shuffle_module
from rnnpipe.transforms.passes.duplicates import Drop
from rnnpipe.transforms.passes.write import _order, _settle
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import KINDS, contents
from tests.transforms.recipes.backbone import make_features


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_every_kind_of_record_is_tried():
    # They differ in what is computed of an image or a sound alone, or in one field more.
    kinds = ("caption", "video", "vqa", "image_class", "speech")
    variants = {"aligned_text_pair", *(f"{kind}_features" for kind in kinds)}
    assert {*KINDS, *variants} == SPECS.keys()


def test_two_workers_write_the_same_bytes_as_this_process(kind, tmp_path):
    raw = KINDS[kind](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)).path
        for workers in (1, 2)
    )
    assert contents(one) == contents(two)
    assert len([name for name in contents(one) if "tfrecord" in name]) >= 5


@pytest.mark.parametrize("workers", [1, 2])
def test_all_good_records_are_written_and_every_bad_one_is_named_once(
    kind, workers, tmp_path, read_counters
):
    amount = 100 if kind in {"vqa", "caption", "video"} else 1000
    raw = KINDS[kind](tmp_path / "raw", amount, amount // 100)
    check_what_arrives(raw, Runner(workers), tmp_path / "records", read_counters)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_is_reported_without_what_beam_logs_of_it(workers, caplog, capfd):
    fail = partial(local_path, "CONFIG")
    with pytest.raises(UserError, match="CONFIG s3://a: expected a path of this machine, got an"):
        Runner(workers).run(lambda pipeline: pipeline | beam.Create(["s3://a"]) | beam.Map(fail))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["caption", "video"])
def test_good_records_with_features_are_written_too(
    kind, workers, tmp_path, weights, read_counters
):
    raw = KINDS[kind](tmp_path / "raw", 100, 1)
    recipe: Any = raw.recipe
    raw = replace(raw, recipe=replace(recipe, features=make_features(weights)))
    check_what_arrives(raw, Runner(workers), tmp_path / "records", read_counters)


def check_what_arrives(raw, runner, folder, read_counters):
    keys = [
        reference.key
        for partition in raw.source.partitions()
        for reference in raw.source.read(partition)
        if reference.key not in raw.dead
    ]
    records = raw.build(records_per_shard=100).run(folder, runner=runner)
    letters = list(records.dead_letters())
    assert [(letter["key"], letter["step"]) for letter in letters] == sorted(raw.dead.items())
    assert all(letter["reason"] and letter["source"] for letter in letters)
    assert sum(records.splits.values()) == len(keys) == records.stats["written"]
    assert records.stats["read"] == len(keys) + len(raw.dead)
    assert records.stats["draw"] == 0  # else some would be counted twice
    assert read_counters() == {
        "records_read": records.stats["read"],
        "records_written": len(keys),
        "dead_letters": len(raw.dead),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_too_many_bad_records_stop_the_build_with_a_message(kind, workers, tmp_path):
    raw = KINDS[kind](tmp_path / "raw", 40, 4)
    with pytest.raises(UserError, match=r"at most 0\.05 of the raw records to be bad") as fault:
        raw.build().run(tmp_path / "records", runner=Runner(workers))
    assert f"{len(raw.dead)} x {next(iter(raw.dead.values()))}" in str(fault.value)
    assert not list(tmp_path.glob("records*"))


def test_the_memory_limit_changes_no_byte(kind, tmp_path, monkeypatch):
    build = KINDS[kind](tmp_path / "raw", 40, 1).build(max_bad_fraction=0.2)
    whole = build.run(tmp_path / "whole").path
    monkeypatch.setattr(external_sort, "MAX_VALUES_IN_MEMORY", 3)
    monkeypatch.setattr(shuffle_module, "MAX_BATCH_BYTES", 500)
    monkeypatch.setattr(count_pass, "_MAX_ITEMS_IN_WORKER", 5)
    monkeypatch.setattr(build_module, "_MIN_BUCKETS", 3)
    little = build.run(tmp_path / "little").path
    assert contents(whole) == contents(little)


def test_shuffling_by_the_runner_writes_the_same_bytes(tmp_path):
    build = KINDS["text_pair"](tmp_path / "raw", 40, 1).build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here").path
    elsewhere = Runner(beam_args=[f"--runner={FnApiRunner.__module__}.{FnApiRunner.__name__}"])
    assert not elsewhere.is_local  # so nothing waits in files
    there = build.run(tmp_path / "there", runner=elsewhere).path
    assert contents(here) == contents(there)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_user_error_of_a_worker_is_reported_unchanged(workers):
    fault = UserError("s3://raw/a.txt", "a store that gives access", 'got "403", later', "wait")

    def read(_):
        raise fault

    with pytest.raises(UserError) as raised:
        Runner(workers).run(lambda pipeline: pipeline | beam.Create([1, 2]) | beam.Map(read))
    parts = ("where", "expected", "got", "fix")
    assert [getattr(raised.value, part) for part in parts] == [getattr(fault, p) for p in parts]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_internal_error_is_not_reported_as_a_user_error(workers):
    with pytest.raises((RuntimeError, ZeroDivisionError), match="division by zero"):
        Runner(workers).run(
            lambda pipeline: pipeline | beam.Create([1]) | beam.Map(lambda one: one / 0)
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_the_kept_record_of_a_key_does_not_depend_on_the_order(
    reverse,
):
    values: list[Any] = [Reference("k1", "g", "train", {"words": w}) for w in ("b", "a")]
    values += [Reference("k0", "g", "train", {"words": "c"}), Drop(values[0], leak=True)]
    if reverse:
        values.reverse()
    in_order = _settle(sorted(values, key=_order))
    rows = [v.leak if isinstance(v, Drop) else v.fields["words"] for v in in_order]
    assert rows == ["c", True, "a", "b"]
