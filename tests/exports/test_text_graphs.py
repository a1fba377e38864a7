"""SavedModels that take strings answer as the predictors that cut them into tokens in Python."""

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import rnnpipe
from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.exports.check import compare_calls
from rnnpipe.exports.function import Description, ExportedFunction
from rnnpipe.exports.saved_model import open_saved_model, write_saved_model
from rnnpipe.runs.text_graph import add_text_function, check_text_in_graph
from rnnpipe.tasks import make_task as make_any_task
from rnnpipe.tasks.text_graph import TEXT_FUNCTION
from rnnpipe.tasks.translation.config import TranslationConfig
from rnnpipe.tasks.translation.task import TranslationTask
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import train_tokenizer
from tests.tasks.translation.conftest import OPTIONS, SENTENCES, write_records

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorflow_text")

PAGE = (Path(__file__).parents[2] / "docs/production.md").read_text(encoding="utf-8")
TEXTS = [
    *SENTENCES["test"],
    "",
    " A  RED\u00a0dog\u2019s \u201cold\u201d man, runs! ",
    "an old man (a dog) runs a red dog a man old old old",
    "\t",
]
SEARCHES: dict[str, dict[str, Any]] = {
    "penalties": {"beam_width": 3, "n_best": 2, "max_length": 8, "coverage_penalty": 0.4},
    "greedy": {"beam_width": 1, "n_best": 1, "max_length": 5},
}


def make_network(task, records, folder):
    keras.utils.set_random_seed(3)
    task.save_vocabulary(records, folder)
    network = task.make_network(task.build_model(records), folder)
    return add_text_function(task, network, folder)


def check_texts(function, folder):
    """What a text function answers, and that its SavedModel answers the same; in any batch."""
    graph = function.graph()
    write_saved_model(graph, folder / "predict_text")
    description = Description.of(graph, "predict_text")
    compute = open_saved_model(folder / "predict_text", description.outputs)
    exported = ExportedFunction(compute, description)
    expected = function({"text": np.array(TEXTS, object)})
    for rows in (slice(None), slice(0, 1), slice(3, 4)):
        calls = [
            SimpleNamespace(
                function=TEXT_FUNCTION,
                arrays={"text": np.array(TEXTS[rows], object)},
                options={},
                made_up=False,
                outputs={name: values[rows] for name, values in expected.items()},
            )
        ]
        comparison = compare_calls({TEXT_FUNCTION: exported}, calls)
        comparison.check("the export")
        assert comparison.equal_ids == 1.0
    return expected


def run_example(folder, answers):
    """The example of the page on production translates as the function does."""
    (code,) = re.findall(r"```python\n(import tensorflow as tf.*?)```", PAGE, re.DOTALL)
    code = code.replace('"translator/', f'"{folder}/').replace("A man plays the guitar.", TEXTS[0])
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == f"{answers[0, 0].decode()}\n"


@pytest.mark.parametrize("search", SEARCHES)
def test_a_translator_takes_strings(tmp_path, search):
    records = write_records(tmp_path / "records")
    options = {**OPTIONS, "evaluate": {"search": SEARCHES[search]}}
    task = TranslationTask(load_settings(TranslationConfig, options))
    network = make_network(task, records, tmp_path / "vocabulary")
    expected = check_texts(network[TEXT_FUNCTION], tmp_path)
    assert expected["answers"][3].tolist() == [b""] * SEARCHES[search]["n_best"]
    assert expected["scores"][3, 0] == -np.inf
    assert any(expected["answers"].ravel())
    run_example(tmp_path, expected["answers"])


@pytest.mark.parametrize("keep", ["start", "end"])
def test_a_classifier_takes_strings(tmp_path, keep):
    words = {"red": 5, "dog": 5, "old": 4, "man": 4, "(": 2, ")": 2, "runs": 3, "a": 9}
    normalizer = Normalizer(mark_joins=False)
    train_tokenizer(words, kind="bpe", vocabulary=30, normalizer=normalizer).save(tmp_path)
    labels = [f"class {number}" for number in range(7)]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    task = make_any_task(
        rnnpipe.load_config(
            "sentiment",
            {
                "model.recurrence.cell.units": 4,
                "model.embedding.size": 4,
                "data.text.max_tokens": 6,
                "data.text.keep": keep,
            },
        )
    )
    network = make_network(
        task, SimpleNamespace(path=tmp_path, labels=labels), tmp_path / "vocabulary"
    )
    expected = check_texts(network[TEXT_FUNCTION], tmp_path)
    assert expected["answers"].shape == (len(TEXTS), 5)
    assert set(expected["answers"][0].tolist()) < {label.encode() for label in labels}
    assert expected["probabilities"][-1].tolist() == [0.0] * 5


def test_tasks_of_other_inputs_are_refused():
    task = make_any_task(rnnpipe.load_config("glimpse"))
    with pytest.raises(UserError) as refusal:
        check_text_in_graph(task, "saved_model")
    assert str(refusal.value) == (
        "--text-in-graph: expected a task that reads a text alone, got image_classification; "
        "leave it out"
    )
