"""Readers of what `rnnpipe predict` is given, and of what it has left unfinished."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from rnnpipe.errors import UserError
from rnnpipe.predictors.formats import Outcome, make_writer
from rnnpipe.predictors.input_row import RowSource
from rnnpipe.predictors.output import Progress, ResumableOutput, _make_digest
from rnnpipe.predictors.rows import RowReader
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.tasks.prediction import Answer, Prediction
from tests.fuzz.cases import Reader, mutated, mutated_json, put
from tests.fuzz.limits import check_error

_INPUTS = (
    Input("text", "a text"),
    Input("image", "an image", endings=(".jpg",)),
    Input("n-best", "how many", integer(1), default=1),
)
_CSV = b'text,image,n_best,note\n"a ""b"", c",1.jpg,2,x\nd,2.jpg,,\n\n"e\nf",3.jpg,1,y\n'
_TSV = b"text\timage\tn-best\na b\t1.jpg\t2\nc\t2.jpg\t\n"
_ROW = {"text": "a b", "image": "1.jpg", "n_best": 2, "more": [1, {"a": None}]}
_LINES = "a b\nc\r\n\nCaf\u00e9 \u2028 d\n".encode()
_FORMS = ("csv", "tsv", "jsonl", "text", None)
_ENCODINGS = st.sampled_from(("utf-8",) * 4 + ("latin-1", "cp1252", "gbk", "utf-16", "", "\ud800"))
_PREDICTION = Prediction(answers=(Answer("yes", 0.75),))


def _reader(form: Any, encoding: str, *, fixed: bool) -> RowReader:
    return RowReader(
        "vqa",
        _INPUTS,
        {"image": "1.jpg"} if fixed else {},
        {"n-best": "1"},
        form,
        encoding,
        "folder" if fixed else "",
    )


def _check_rows(source: RowSource) -> None:
    """Each row is written in every form, as a prediction or as an error."""
    writers = [make_writer(form, source.columns) for form in ("jsonl", "text", "csv", "tsv")]
    for number, row in enumerate(source.rows, start=1):
        if isinstance(row.inputs, UserError):
            check_error(row.inputs)
        result = row.inputs if isinstance(row.inputs, UserError) else _PREDICTION
        for writer in writers:
            text = writer.format(Outcome(number, row.columns, result))
            assert text.endswith("\n")
            text.encode()
    assert sum(map(len, source.notices)) < 10_000


def _read_file(case: Any, folder: Path) -> None:
    data, form, encoding, ending, fixed = case
    path = put(folder / f"rows.{ending}", data)
    _check_rows(_reader(form, encoding, fixed=fixed).open(str(path)))


def _read_pipe(case: Any, folder: Path) -> None:
    """The same from a pipe, as the standard input is one."""
    data, form, encoding, _, fixed = case
    check_encoding(encoding)
    reading, writing = os.pipe()
    try:
        os.write(writing, data[:30_000])  # as much as a pipe holds without a reader
        os.close(writing)
        reader = _reader(form, encoding, fixed=fixed)
        source = reader._open_stream("standard input", reading)
        assert source.is_ready is not None
        assert source.is_ready()
        _check_rows(source)
    finally:
        os.close(reading)


_JOB = {"run": "a", "model": "abc", "inputs": {"n-best": "1"}}
_RESULTS = b"a,b\nc"
_DONE = asdict(Progress(2, 4, 1, "ab", _make_digest(_RESULTS[:4]).hexdigest()))


def _forge_line(data: bytes) -> bytes:
    """A line of a log with a digest that is right, whatever it says."""
    return f"{_make_digest(data).hexdigest()} ".encode() + data


def _resume(case: Any, folder: Path) -> None:
    """A file of predictions goes on where it was left, or says why not."""
    job, log, results = case
    path, partial_folder = folder / "answers.csv", folder / "answers.csv.partial"
    path.unlink(missing_ok=True)
    for name, data in (("job.json", job), ("progress.log", log), ("results", results)):
        put(partial_folder / name, data)
    with ResumableOutput(path, _JOB).resume() as opened:
        done = opened.done
        assert 0 <= done.size <= len(results)
        assert type(done.rows) is int
        assert list(opened.skip(iter(()))) == []
        opened.write([])
    assert path.read_bytes()[: done.size] == results[: done.size]


def _file(
    name: str, cases: Any, ending: str, share: int, read: Callable[[Any, Path], object] = _read_file
) -> Reader:
    forms = st.sampled_from(_FORMS) if ending == "txt" else st.just(None)
    if read is _read_pipe:
        forms = st.just(ending if ending != "txt" else "text")
    case = st.tuples(cases, forms, _ENCODINGS, st.just(ending), st.booleans())
    return Reader(name, case, read, share)


_TABLE = partial(mutated, tokens=(b",", b"\t", b"text,image\n", b'"\n"', b"a," * 300))
READERS = (
    _file("rows of CSV", _TABLE(_CSV), "csv", 200),
    _file("rows of TSV", _TABLE(_TSV), "tsv", 150),
    _file("rows of JSON lines", mutated_json(_ROW), "jsonl", 200),
    _file("rows of text", mutated(_LINES), "txt", 150),
    _file("piped CSV", _TABLE(_CSV), "csv", 100, _read_pipe),
    _file("piped JSON lines", mutated_json(_ROW), "jsonl", 100, _read_pipe),
    _file("piped text", mutated(_LINES), "txt", 50, _read_pipe),
    Reader(
        "unfinished predictions",
        st.tuples(
            st.one_of(st.just(json.dumps(_JOB).encode()), mutated_json(_JOB)),
            st.lists(
                st.one_of(
                    mutated(Progress(**_DONE).to_line().strip().encode()),
                    mutated_json(_DONE).map(_forge_line),
                ),
                max_size=3,
            ).map(b"\n".join),
            mutated(_RESULTS),
        ),
        _resume,
        200,
    ),
)
