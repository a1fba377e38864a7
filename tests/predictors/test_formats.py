import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.predictors.formats import Outcome, format_of, make_writer
from rnnpipe.tasks.prediction import Answer, Prediction
from tests.predictors.conftest import TIMELINE

FAULT = UserError("--text", "a text", "two\nlines", "write one")
TWO = Prediction([Answer("oui\tnon", 0.75, -0.25), Answer("non", 0.25, -1.5)], notes=["cut"])
EMPTY = Prediction([])
ODD = 'a "quoted", text\nof lines \u2028'


@pytest.mark.parametrize("result", [TWO, TIMELINE, EMPTY, FAULT])
@pytest.mark.parametrize("form", ["text", "tsv", "jsonl", "csv"])
def test_there_is_a_line_for_a_row(form, result):
    writer = make_writer(form, ["text"])
    line = writer.format(Outcome(1, {"text": "a\nb" if form != "csv" else "b"}, result))
    assert line.endswith("\n")
    assert line.count("\n") == 1


def test_text_is_the_likeliest_answer():
    writer = make_writer("text", ["text"])
    lines = [writer.format(Outcome(1, {}, result)) for result in (TWO, TIMELINE, EMPTY, FAULT)]
    assert lines == ["oui\\tnon\n", "0.00-1.50 up; 1.50-2.00 down\n", "\n", "\n"]


def test_lists_of_n_best_count_rows_from_0():
    writer = make_writer("text", ["text"], n_best=True)
    two = "4 ||| oui\\tnon ||| -0.2500\n4 ||| non ||| -1.5000\n"
    assert writer.format(Outcome(5, {}, TWO)) == two
    assert writer.format(Outcome(1, {}, FAULT)) == "0 |||  ||| 0.0000\n"
    unranked = Prediction([Answer("a", 0.5)])
    assert writer.format(Outcome(1, {}, unranked)) == "0 ||| a ||| 0.5000\n"


def test_json_has_every_field():
    writer = make_writer("jsonl", ["text"])
    values = json.loads(writer.format(Outcome(2, {"text": ODD, "id": 7}, TWO)))
    assert values == {
        "row": 2,
        "inputs": {"text": ODD, "id": 7},
        "prediction": "oui\tnon",
        "answers": [
            {"text": "oui\tnon", "probability": 0.75, "score": -0.25},
            {"text": "non", "probability": 0.25, "score": -1.5},
        ],
        "notes": ["cut"],
    }
    values = json.loads(writer.format(Outcome(3, {}, TIMELINE)))
    assert values["prediction"] is None
    assert values["timeline"][1] == {"start": 1.5, "end": 2.0, "label": "down", "probability": 0.75}
    values = json.loads(writer.format(Outcome(4, {"text": "x"}, FAULT)))
    error = "--text: expected a text, got two lines; write one"
    assert values == {"row": 4, "inputs": {"text": "x"}, "error": error}


def test_json_is_valid_whatever_a_model_answers():
    diverged = Prediction([Answer("a", float("nan"), -float("inf"))], alignments=np.eye(1) * np.nan)
    line = make_writer("jsonl", [], alignments=True).format(Outcome(1, {}, diverged))

    def refuse(name):
        raise AssertionError(name)

    values = json.loads(line, parse_constant=refuse)
    assert values["answers"] == [{"text": "a", "probability": None, "score": None}]
    assert values["alignments"] == [[None]]


def test_tables_have_the_columns_of_the_inputs():
    writer = make_writer("csv", ["text", "prediction", "id"])
    assert writer.header() == "row,text,input.prediction,id,prediction,probability,error\n"
    columns = {"text": ODD, "prediction": "mine", "id": 7}
    (row,) = csv.reader(io.StringIO(writer.format(Outcome(1, columns, TWO)), newline=""))
    assert row == ["1", ODD, "mine", "7", "oui\tnon", "0.75", ""]
    writer = make_writer("tsv", ["text"])
    assert writer.header() == "row\ttext\tprediction\tprobability\terror\n"
    assert writer.format(Outcome(1, {"text": "a\tb"}, TWO)) == "1\ta\\tb\toui\\tnon\t0.75\t\n"
    error = "--text: expected a text, got two lines; write one"
    assert writer.format(Outcome(2, {}, FAULT)) == f"2\t\t\t\t{error}\n"


@pytest.mark.parametrize(
    ("name", "form"), [("a.txt", "text"), ("a.TSV", "tsv"), ("b.jsonl", "jsonl"), ("c.csv", "csv")]
)
def test_the_name_of_a_file_tells_its_form(name, form):
    assert format_of(Path(name)) == form


def test_unknown_forms_are_refused():
    with pytest.raises(UserError, match=r"--output a\.xls: expected a name that ends in \.txt"):
        format_of(Path("a.xls"))
    with pytest.raises(UserError, match="--format: expected text, tsv, jsonl, csv, got xml"):
        make_writer("xml", [])
    with pytest.raises(UserError, match="--alignments: expected the format jsonl, got csv"):
        make_writer("csv", [], alignments=True)
