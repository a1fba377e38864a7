"""Readers of what `rnnpipe compare` is given: evaluated runs of every task."""

import json
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from rich.console import Console

from rnnpipe.runs.compare import compare_runs
from rnnpipe.runs.directory import RunDirectory
from tests.fuzz.cases import Reader, mutated, mutated_json, put
from tests.runs.evaluated import make_evaluated
from tests.runs.test_compare_tasks import RUNS

_HISTORY = b"epoch,loss,val_accuracy\n0,2.0,1.0\n1,1.0,2.0\n"


@cache
def _make_runs(folder: Path, task: str) -> tuple[RunDirectory, RunDirectory]:
    config, first, second = RUNS[task]
    parent = folder / task
    return (
        make_evaluated(parent / "first", config, first),
        make_evaluated(parent / "second", config, second),
    )


def _compare(case: Any, folder: Path) -> None:
    """The second run has a file that somebody has written, and sealed."""
    task, name, data = case
    first, second = _make_runs(folder, task)
    path = second.path / name
    whole = path.read_bytes()
    second.seal.add(put(path, data))
    try:
        console = Console(file=StringIO())
        comparison = compare_runs([first.path, second.path], None, console)
        page = comparison._make_page()
        assert page.scores
        assert [len(row) for table in page.scores for row in table.rows]
    finally:
        second.seal.add(put(path, whole))


def _rows_of(task: str) -> st.SearchStrategy[bytes]:
    """Rows of which one is another one."""
    rows = [{"split": "test", **row} for row in RUNS[task][2]]
    whole = [json.dumps(row).encode() for row in rows]
    return st.integers(0, len(rows) - 1).flatmap(
        lambda place: mutated_json(rows[place]).map(
            lambda line: b"\n".join([*whole[:place], line, *whole[place + 1 :]])
        )
    )


def _cases(task: str) -> st.SearchStrategy[Any]:
    scores = {"test": {"accuracy": 0.5, "bleu": 0.25, "baseline/x/accuracy": 0.5}}
    environment = {"started": "2026-01-01T00:00:00+00:00", "records": "a" * 64, "settings": {}}
    environment |= {"libraries": {"keras": "3"}, "python": "3.11", "processors": 2}
    return st.one_of(
        *[st.tuples(st.just(task), st.just("predictions.jsonl"), _rows_of(task))] * 3,
        st.tuples(st.just(task), st.just("metrics.json"), mutated_json(scores)),
        st.tuples(st.just(task), st.just("environment.json"), mutated_json(environment)),
        st.tuples(st.just(task), st.just("history.csv"), mutated(_HISTORY)),
    )


READERS = (Reader("compared runs", st.sampled_from(sorted(RUNS)).flatmap(_cases), _compare, 200),)
