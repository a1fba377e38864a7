from pathlib import Path

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.inputs import parse_inputs
from rnnpipe.tasks.language_model.task import LanguageModelTask

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "language_model.yaml"


def make_task(*settings):
    return LanguageModelTask(load_config(CONFIG, find_schemas(), settings))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"length": "0"}, "--length: expected an integer of at least 1, got 0"),
        ({"length": "many"}, "--length: expected an integer of at least 1, got many"),
        ({"seed": "-1"}, "--seed: expected an integer of at least 0, got -1"),
        ({"temperature": "0"}, "--temperature: expected a positive number, got 0"),
        ({"temperature": "nan"}, "--temperature: expected a positive number, got nan"),
        ({"temperature": "warm"}, "--temperature: expected a positive number, got warm"),
        ({"top-k": "0"}, "--top-k: expected a positive integer or null, got 0"),
        ({"top-p": "2"}, "--top-p: expected a number above 0 and of at most 1 or null, got 2"),
    ],
)
def test_malformed_inputs_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        parse_inputs("language_model", make_task().inputs, {"prompt": "a", **texts})


def test_the_defaults_of_inputs_are_those_of_the_config():
    inputs = parse_inputs("language_model", make_task().inputs, {"prompt": "a", "top-p": "0.9"})
    expected = {"temperature": 0.8, "top-k": None, "top-p": 0.9}
    assert inputs == {"prompt": "a", "length": 500, "seed": 0, **expected}
    task = make_task("sampling.top_k=5", "sampling.temperature=1.5")
    inputs = parse_inputs("language_model", task.inputs, {"prompt": "a"})
    assert (inputs["top-k"], inputs["temperature"]) == (5, 1.5)


def test_the_main_metric_is_that_of_the_symbols():
    assert make_task().main_metric == "bits_per_char"
    words = make_task("data.symbols=word", "train.keep_best.metric=perplexity")
    assert words.main_metric == "perplexity"
    assert words.monitor() == ("val_perplexity", "min")


def test_a_metric_of_other_symbols_is_refused():
    with pytest.raises(UserError, match=r"keep_best.metric: expected loss or perplexity with"):
        make_task("data.symbols=word")


def test_models_that_cannot_be_built_are_refused():
    with pytest.raises(UserError, match=r"yaml:\d+: model.embedding.size: expected 256 with tie"):
        make_task("model.tie_weights=true")
    with pytest.raises(UserError, match=r"recurrence.cell.kind: expected a cell that reads a seq"):
        make_task("model.recurrence.cell={kind: att2in, units: 4}")
    assert make_task("model.tie_weights=true", "model.embedding.size=256").config.model.tie_weights
