"""Warm-ups are within the training."""

from typing import Any

import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.schedules import ScheduleOptions

KINDS: dict[str, Any] = ScheduleOptions.kinds.load()
WARMING = [
    kind for kind, options in KINDS.items() if "warmup_steps" in options.__dataclass_fields__
]


@pytest.mark.parametrize("kind", WARMING)
def test_a_warm_up_longer_than_the_training_is_refused(kind):
    KINDS[kind](warmup_steps=48).check_steps(48)
    with pytest.raises(UserError, match=r"warmup_steps: expected at most the 48 .*got 100,000"):
        KINDS[kind](warmup_steps=100_000).check_steps(48)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - set(WARMING)))
def test_schedules_without_a_warm_up_take_any_training(kind):
    KINDS[kind]().check_steps(1)


def test_most_schedules_have_a_warm_up():
    assert {"constant", "cosine", "inverse_sqrt"} <= set(WARMING)
