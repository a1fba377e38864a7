from pathlib import Path

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "translation.yaml"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["train.optimizer.schedule={kind: plateau, warmup_steps: 3}"],
            r"schedule\.warmup_steps: expected none with the kind plateau, got 3",
        ),
        (
            ["train.optimizer.schedule={kind: inverse_sqrt}"],
            r"schedule\.warmup_steps: expected at least 1 with the kind inverse_sqrt, got 0",
        ),
        (
            ["evaluate.beam={width: 3, n_best: 4}"],
            r"evaluate\.beam\.n_best: expected at most the width, 3, got 4; widen the beam",
        ),
        (
            ["model.embedding={size: 8}"],  # `share` is true unless the config says otherwise
            r"model\.embedding\.share: expected false with data\.text\.joint false, .* got true; "
            r"write false, or set data\.text\.joint to true",
        ),
        (
            ["data.text.max_tokens=101"],
            r"evaluate\.beam\.max_length: expected at least data\.text\.max_tokens, 101, got 100, "
            "its default; write e.g. 101",
        ),
        (["train.label_smoothing=1.0"], "expected a number of at least 0 and below 1, got 1.0"),
        (["train.keep_best.metric=accuracy"], "expected bleu, chrf, exact, perplexity or loss"),
    ],
)
def test_settings_that_contradict_each_other_are_told_with_their_key(settings, message):
    with pytest.raises(UserError, match=message):
        load_config(CONFIG, find_schemas(), settings)


def test_a_plateau_needs_no_warmup():
    settings = ["train.optimizer.schedule={kind: plateau, factor: 0.3, patience: 1}"]
    schedule = load_config(CONFIG, find_schemas(), settings).train.optimizer.schedule
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.3, 1)


@pytest.mark.parametrize(
    "settings",
    [
        ["data.text.joint=true", "model.embedding.share=true"],
        ["data.text.joint=true", "model.embedding.share=false"],
        ["data.text.max_tokens=100"],
        ["data.text.max_tokens=200", "evaluate.beam.max_length=50"],
    ],
)
def test_settings_that_do_not_contradict_each_other(settings):
    assert load_config(CONFIG, find_schemas(), settings).task == "translation"
