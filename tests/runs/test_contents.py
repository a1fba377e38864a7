"""Files of runs that hold something else than they should, though their seals are right."""

import json

import pytest

from rnnpipe.errors import UserError
from rnnpipe.runs.contents import read_environment, read_scores, read_start
from rnnpipe.runs.directory import RunDirectory, find_runs
from rnnpipe.runs.results import Results

WHOLE = {
    "environment.json": {"records": "abc", "settings": {"seed": 7}, "started": "2026-01-01T00:00"},
    "start.json": {"run": "a", "state": "", "taken": {"a": ""}, "left": {}, "unused": ["b"]},
    "metrics.json": {"test": {"accuracy": 0.5, "loss": float("nan")}},
    "predictions.jsonl": {"text": "fine", "answers": ["pos"]},
}
READ = {
    "environment.json": read_environment,
    "start.json": read_start,
    "metrics.json": read_scores,
    "predictions.jsonl": lambda run: Results(run).predictions,
}


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "runs" / "a")
    run.path.mkdir(parents=True)
    run.config.write_text("task: x\n")
    run.seal.begin()
    return run


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_run_has_written_is_read(name, run):
    run.seal.write_text(run.path / name, json.dumps(WHOLE[name]))
    content = READ[name](run)
    content = content[0] if isinstance(content, list) else content
    assert json.dumps(content) == json.dumps(WHOLE[name])


@pytest.mark.parametrize("text", ["[]", "null", "5", '"a"', "{", "[" * 5000, '{"a": 1, "a": 2}'])
@pytest.mark.parametrize("name", WHOLE)
def test_something_else_is_refused(name, text, run):
    run.seal.write_text(run.path / name, text)
    with pytest.raises(UserError, match=rf"/{name}: expected .*, got something else \("):
        READ[name](run)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("environment.json", {"records": None}),
        ("environment.json", {"settings": []}),
        ("environment.json", {"resumed": {}}),
        ("environment.json", {"records_from": 5}),
        ("start.json", {"taken": ["a"]}),
        ("start.json", {"unused": "b"}),
        ("metrics.json", {"test": {"accuracy": "0.5"}}),
        ("metrics.json", {"test": []}),
    ],
)
def test_values_of_other_types_are_refused(name, change, run):
    run.seal.write_text(run.path / name, json.dumps({**WHOLE[name], **change}))
    with pytest.raises(UserError, match=rf"/{name}: expected JSON as rnnpipe writes it there"):
        READ[name](run)


def test_text_that_is_none_is_refused(run):
    with run.seal.write(run.predictions) as unfinished:
        unfinished.write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"predictions.jsonl: expected text in UTF-8, got other"):
        Results(run).predictions  # noqa: B018


@pytest.mark.parametrize("name", ["99999999-999999", "00000000-000000", "20260101-000000-9999999"])
@pytest.mark.parametrize("started", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "now"])
def test_a_run_of_an_impossible_time_hides_no_other_one(name, started, run):
    other = RunDirectory(run.path.with_name(name))
    other.path.mkdir()
    other.config.write_text("task: x\n")
    assert {each.path for each in find_runs(run.path.parent)} == {run.path, other.path}
    other.environment.write_text(json.dumps({"started": started}))
    assert {each.path for each in find_runs(run.path.parent)} == {run.path, other.path}
