from pathlib import Path

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.config.schema import SCHEMAS
from rnnpipe.errors import UserError

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "translation.yaml"


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
        (["train.label_smoothing=1.0"], "expected a number of at least 0 and below 1, got 1.0"),
        (["train.keep_best.metric=accuracy"], "expected bleu, chrf, exact, perplexity or loss"),
    ],
)
def test_settings_that_contradict_each_other_are_told_with_their_key(settings, message):
    with pytest.raises(UserError, match=message):
        load_config(CONFIG, SCHEMAS, settings)


def test_a_plateau_needs_no_warmup():
    settings = ["train.optimizer.schedule={kind: plateau, factor: 0.3, patience: 1}"]
    schedule = load_config(CONFIG, SCHEMAS, settings).train.optimizer.schedule
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.3, 1)
