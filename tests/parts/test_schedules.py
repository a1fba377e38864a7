"""Every learning-rate schedule."""

import inspect
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
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
        ("cosine", {"alpha": 0.5}, [1, 0.9878, 0.75]),
        ("cosine_restarts", {"first_decay_steps": 10, "m_mul": 0.5}, [1, 0.5, 0.125]),
        ("exponential", {}, [1, 0.7943, 0.3162]),
        ("exponential", {"decay_steps": 30, "staircase": True, "decay_rate": 0.5}, [1, 1, 0.5]),
        ("exponential", {"warmup_steps": 20, "decay_steps": 30}, [0, 0.5, 0.1]),
        ("inverse_time", {"decay_steps": 10}, [1, 0.5, 1 / 6]),
        ("piecewise_constant", {"boundaries": (9, 60), "factors": (0.5, 0.1)}, [1, 0.5, 0.5]),
        (
            "piecewise_constant",
            {"warmup_steps": 20, "boundaries": (29,), "factors": (0.25,)},
            [0, 0.5, 0.25],
        ),
        ("polynomial", {}, [1, 0.9, 0.5]),
        ("polynomial", {"power": 2.0, "end_learning_rate": 0.2}, [1, 0.848, 0.4]),
        ("polynomial", {"decay_steps": 20, "cycle": True}, [1, 0.5, 1 / 6]),
        ("inverse_sqrt", {"warmup_steps": 10}, [0, 1, 0.4472]),
        ("slanted_triangular", {"rise": 0.2, "ratio": 5.0}, [0.2, 0.6, 0.7]),
        ("slanted_triangular", {"rise": 0.0, "ratio": 2.0}, [1, 0.95, 0.75]),
        ("plateau", {}, [1, 1, 1]),
    ],
)
def test_every_schedule_gives_its_rates(kind, options, expected):
    made = KINDS[kind](**options).make(1.0, steps=100)
    np.testing.assert_allclose([rate_at(made, step) for step in (0, 10, 50)], expected, atol=1e-4)


def test_every_kind_of_schedule_is_tested():
    names = {name.removesuffix("ScheduleOptions") for name in map(_class_name, KINDS.values())}
    of_keras = {
        name
        for name, value in vars(keras.optimizers.schedules).items()
        if inspect.isclass(value) and name != "LearningRateSchedule"
    }
    assert {"Constant", "Cosine", "InverseSqrt", "SlantedTriangular", "Plateau"} < names
    assert {name.replace("Decay", "") for name in of_keras} <= names


def _class_name(options):
    return options.__name__


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boundaries": (5, 5), "factors": (0.5, 0.1)}, "boundaries: expected steps that rise"),
        ({"boundaries": (5, 9)}, "factors: expected a number above 0 for each of the 2 boundaries"),
        ({"factors": (0.0,)}, r"got \[0.0\]; write e.g. \[0.1, 0.01\]"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        KINDS["piecewise_constant"](**options)


def test_a_warm_up_is_made_again_of_its_config():
    made = KINDS["exponential"](warmup_steps=4, decay_steps=8).make(0.5, steps=100)
    config = keras.optimizers.schedules.serialize(made)
    again = keras.optimizers.schedules.deserialize(config)
    assert [float(again(step)) for step in (0, 3, 4, 12)] == pytest.approx([0, 0.375, 0.5, 0.05])


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
