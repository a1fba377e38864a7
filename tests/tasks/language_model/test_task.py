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
        ({"temperature": "0"}, "--temperature: expected a number above 0, got 0"),
        ({"temperature": "nan"}, "--temperature: expected a number above 0, got nan"),
        ({"temperature": "warm"}, "--temperature: expected a number above 0, got warm"),
    ],
)
def test_malformed_inputs_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        parse_inputs("language_model", LanguageModelTask.inputs, {"prompt": "a", **texts})


def test_the_main_metric_is_that_of_the_symbols():
    assert make_task().main_metric == "bits_per_char"
    words = make_task("data.symbols=word", "train.keep_best.metric=perplexity")
    assert words.main_metric == "perplexity"
    assert words.monitor() == ("val_perplexity", "min")


def test_a_metric_of_other_symbols_is_refused():
    with pytest.raises(UserError, match=r"keep_best.metric: expected loss or perplexity with"):
        make_task("data.symbols=word")
