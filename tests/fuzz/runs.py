"""Readers of the folders of runs and exports."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from rnnpipe.exports.manifest import VERSION, read_manifest
from rnnpipe.runs.begin import find_begin
from rnnpipe.runs.contents import read_environment, read_scores, read_start
from rnnpipe.runs.directory import RunDirectory, find_runs
from rnnpipe.runs.history import read_history
from rnnpipe.runs.results import Results
from rnnpipe.storage.seal import Checksum, Seal, _digest
from tests.fuzz.cases import Reader, mutated, mutated_json, put

_ENVIRONMENT = {
    "started": "2026-01-01T00:00:01+00:00",
    "records": "abc",
    "records_from": {"settings": {"a": 1}},
    "settings": {"task": "sentiment", "seed": 7},
    "resumed": [{"python": "3.11", "platform": "x"}],
}
_START = {"run": "a", "state": "", "taken": {"a/0": ""}, "left": {"b/0": "no"}, "unused": ["c"]}
_SCORES = {"test": {"accuracy": 0.5, "baseline/x/accuracy": 0.25}}
_ROW = {"text": "a film", "label": "pos", "probability": 0.9}
_HISTORY = b"epoch,loss,val_loss\n1,1.5,2\n2,1.0,nan\n"


def _new_seal(folder: Path) -> Seal:
    seal = Seal(folder)
    seal.begin()
    return seal


def _read_seal(case: bytes, folder: Path) -> None:
    path = put(folder / "scores.json", b"{}")
    put(folder / "config.yaml", b"task: x\n")
    put(folder / "seal.json", case)
    seal = Seal(folder)
    for use in (seal.expects, seal.holds):
        use(path)
    assert all(found.resolve().is_relative_to(folder.resolve()) for found in seal.find("*"))
    assert seal.read_json(path) == {}


def _seal_text() -> Any:
    with TemporaryDirectory() as folder:
        seal = _new_seal(Path(folder))
        seal.write_text(Path(folder) / "scores.json", "{}")
        return json.loads(seal.path.read_text())


def _read_forged(case: bytes, folder: Path) -> None:
    """A seal that somebody has written with the checksum that it should have."""
    try:
        files = json.loads(case)["files"]
        case = json.dumps({"files": files, "sha256": _digest(files)}).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    _read_seal(case, folder)


def _read_run(case: Any, folder: Path) -> None:
    """Files of a run that somebody has written, and sealed."""
    name, data = case
    run = RunDirectory(folder / "runs" / "a")
    put(run.config, b"task: x\n")
    _new_seal(run.path)
    for path in (run.environment, run.start_report, run.metrics, run.predictions):
        path.unlink(missing_ok=True)
    run.seal.add(put(run.path / name, data))
    assert find_runs(run.path.parent) == [run]
    reads = {
        "environment.json": read_environment,
        "start.json": read_start,
        "metrics.json": read_scores,
        "predictions.jsonl": lambda run: Results(run).predictions,
        "history.csv": lambda run: read_history(run, run.history),
        "partial.json": lambda run: Results(run).partial,
    }
    content = reads[name](run)
    if name == "history.csv":
        assert all(isinstance(value, float) for values in content.values() for value in values)


def _read_history(case: bytes, folder: Path) -> None:
    """The history of a training that goes on."""
    run = RunDirectory(folder)
    if not run.seal.path.exists():
        _new_seal(folder)
    history = read_history(run, put(run.history, case))
    lengths = {len(values) for values in history.values()}
    assert len(lengths) <= 1


def _find_begin(case: Any, folder: Path) -> None:
    name, environment = case
    began, _ = find_begin(name, put(folder / "environment.json", environment))
    assert began.tzinfo is not None


def _read_export(case: bytes, folder: Path) -> None:
    path = put(folder / "call.onnx", b"graph")
    put(folder / "export.json", case.replace(b"HASH", Checksum.of(path).sha256.encode()))
    manifest = read_manifest(folder)
    for function in manifest.functions.values():
        assert function.has_one_row in (True, False)
        assert (folder / function.file).resolve().is_relative_to(folder.resolve())


_EXPORT = {
    "format": "onnx",
    "task": "text_classification",
    "functions": {
        "call": {
            "file": "call.onnx",
            "inputs": {"tokens": ["int32", [None, None]]},
            "outputs": ["logits"],
            "options": {},
            "states": [],
            "padding": {},
            "cropped": {},
        }
    },
    "check": {"rows": 8, "largest_difference": 1e-6},
    "files": {"call.onnx": "HASH"},
    "quantization": None,
    "rnnpipe": VERSION,
}


def _file(name: str, cases: Any) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), cases)


READERS = (
    Reader("seals", mutated_json(_seal_text()), _read_seal, 200),
    Reader("forged seals", mutated_json(_seal_text(), whole=False), _read_forged, 200),
    Reader(
        "files of runs",
        st.one_of(
            _file("environment.json", mutated_json(_ENVIRONMENT)),
            _file("start.json", mutated_json(_START)),
            _file("metrics.json", mutated_json(_SCORES)),
            _file("predictions.jsonl", mutated_json(_ROW)),
            _file("partial.json", mutated_json({"members": [{"best": [1], "of": 2}]})),
            _file("history.csv", mutated(_HISTORY)),
        ),
        _read_run,
        200,
    ),
    Reader("histories", mutated(_HISTORY, (b"1,", b"2,nan,inf\n", b'"')), _read_history, 150),
    Reader(
        "times of runs",
        st.tuples(
            st.one_of(
                st.tuples(st.integers(0, 10**8 - 1), st.integers(0, 10**6 - 1)).map(
                    lambda numbers: f"{numbers[0]:08d}-{numbers[1]:06d}"
                ),
                st.sampled_from(("00000000-000000", "99991231-235959-999999999", "x", "")),
            ),
            st.one_of(
                mutated_json(_ENVIRONMENT),
                st.sampled_from(("0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59")).map(
                    lambda text: b'{"started": "%s"}' % text.encode()
                ),
            ),
        ),
        _find_begin,
        150,
    ),
    Reader("manifests of exports", mutated_json(_EXPORT), _read_export, 250),
)
