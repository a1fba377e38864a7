from pathlib import Path

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.parts.schedules import PlateauScheduleOptions
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.translation.config import TranslationConfig

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "translation.yaml"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["train.optimizer.schedule={kind: plateau, warmup_steps: 3}"],
            r"schedule\.warmup_steps: expected a key of train\.optimizer\.schedule with kind: "
            r"plateau \(kind, factor, patience\)",
        ),
        (
            ["train.optimizer.schedule={kind: inverse_sqrt, warmup_steps: 0}"],
            r"schedule\.warmup_steps: expected a positive integer, got 0",
        ),
        (
            ["evaluate.search={beam_width: 3, n_best: 4}"],
            r"evaluate\.search\.n_best: expected at most beam_width, 3, got 4; write a wider beam",
        ),
        (
            ["model.share_embedding=true"],
            r"model\.share_embedding=true: expected false with data\.text\.joint false, .* "
            r"got true; write false, or set data\.text\.joint to true",
        ),
        (
            ["model.decoder.attention=null"],
            r"model\.decoder\.attention=null: expected a mechanism, got null; write e\.g\. ",
        ),
        (
            ["model.decoder.attention={kind: local, mechanism: {kind: monotonic}}"],
            r"attention\.mechanism\.kind: expected a mechanism that aligns by softmax, got ",
        ),
        (
            ["model.decoder.cell={kind: att2in}"],
            r"model\.decoder\.cell\.kind: expected another kind without bahdanau",
        ),
        (
            ["model.encoder.cell={kind: att2in}"],
            r"model\.encoder\.cell\.kind: expected a cell that reads a sequence alone",
        ),
        (
            ["train.reinforce={entropy_weight: 0.1}"],
            r"train\.reinforce=.*: expected null without hard attention",
        ),
        (
            ["data.text.max_tokens=20", "evaluate.search={constraints: {min_length: 22}}"],
            r"evaluate\.search\.constraints\.min_length: expected at most max_length, "
            r"21, got 22; lower it, or raise max_length",
        ),
        (["train.label_smoothing=1.0"], "expected a number of at least 0 and below 1, got 1.0"),
        (["train.keep_best.metric=accuracy"], "expected bleu, chrf, exact, perplexity or loss"),
    ],
)
def test_contradicting_settings_are_reported_with_their_key(settings, message):
    with pytest.raises(UserError, match=message):
        load_config(CONFIG, find_schemas(), settings)


def test_a_plateau_schedule_needs_no_warmup():
    settings = ["train.optimizer.schedule={kind: plateau, factor: 0.3, patience: 1}"]
    schedule = load_config(CONFIG, find_schemas(), settings).train.optimizer.schedule
    assert isinstance(schedule, PlateauScheduleOptions)
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.3, 1)


@pytest.mark.parametrize(
    "settings",
    [
        ["data.text.joint=true", "model.share_embedding=true"],
        ["data.text.joint=true", "model.share_embedding=false"],
        ["train.reinforce={}", "model.decoder.attention={kind: hard}"],
        ["train.reinforce={}", "model.decoder.attention={kind: gated, mechanism: {kind: hard}}"],
        ["data.text.max_tokens=100"],
        ["data.text.max_tokens=200", "evaluate.search.max_length=50"],
    ],
)
def test_consistent_settings_are_accepted(settings):
    assert load_config(CONFIG, find_schemas(), settings).task == "translation"


def load(settings):
    config = load_config(CONFIG, find_schemas(), settings)
    assert isinstance(config, TranslationConfig)
    return config


def test_the_length_of_translations_follows_from_that_of_records():
    config = load(["evaluate.search.max_length=null"])
    assert config.evaluate.search.limit(60).max_length == 61
    config = load(["evaluate.search.max_length=9"])
    assert config.evaluate.search.limit(60).max_length == 9
