"""Every learning-rate schedule."""

from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.parts.schedules import ScheduleOptions
from tests.parts.common import check_round_trip

KINDS: dict[str, Any] = ScheduleOptions.kinds.load()
OPTIMIZERS: dict[str, Any] = OptimizerOptions.kinds.load()


def rate_at(made, step):
    return float(made(step)) if callable(made) else float(made)


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("constant", {}, [1, 1, 1]),
        ("constant", {"warmup_steps": 20}, [0, 0.5, 1]),
        ("cosine", {}, [1, 0.9755, 0.5]),
        ("inverse_sqrt", {"warmup_steps": 10}, [0, 1, 0.4472]),
        ("plateau", {}, [1, 1, 1]),
    ],
)
def test_every_schedule_gives_its_rates(kind, options, expected):
    made = KINDS[kind](**options).make(1.0, steps=100)
    np.testing.assert_allclose([rate_at(made, step) for step in (0, 10, 50)], expected, atol=1e-4)


def test_every_kind_of_schedule_is_tested():
    assert set(KINDS) == {"constant", "cosine", "inverse_sqrt", "plateau"}


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_plateau_has_a_callback(kind):
    callbacks = KINDS[kind]().make_callbacks("val_loss", "min")
    expected = [keras.callbacks.ReduceLROnPlateau] if kind == "plateau" else []
    assert [type(callback) for callback in callbacks] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_schedules_survive_yaml_and_pickling(kind):
    check_round_trip(OptimizerOptions, AdamOptions(schedule=KINDS[kind]()))


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_optimizers_survive_yaml_and_pickling(kind):
    check_round_trip(OptimizerOptions, OPTIMIZERS[kind](clip_norm=None, clip_value=0.5, ema=0.9))
