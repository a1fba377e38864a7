import inspect
from dataclasses import MISSING, fields
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.parts.schedules import CosineScheduleOptions

KINDS: dict[str, Any] = OptimizerOptions.kinds.load()
SHARED = {declared.name for declared in fields(OptimizerOptions)} | {"kind"}
ADAMW = {"AdamW"}  # adam with weight_decay
WRAPPERS = {"LossScaleOptimizer", "MultiOptimizer", "Optimizer"}
WITH_MODES = {"ScheduleFreeAdamW"}  # its weights are others in training and in validation


def test_all_settings_reach_the_optimizer():
    options = AdamOptions(
        learning_rate=0.5,
        schedule=CosineScheduleOptions(warmup_steps=2),
        clip_norm=3.0,
        weight_decay=0.25,
        ema=0.75,
    )
    optimizer = options.make(steps=6)
    assert optimizer.global_clipnorm == 3.0
    assert optimizer.weight_decay == 0.25
    assert optimizer.use_ema
    assert optimizer.ema_momentum == 0.75
    rates = []
    for step in (0, 1, 2, 4, 6):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    # Up in 2 steps, then half a cosine over the 4 that are left.
    np.testing.assert_allclose(rates, [0, 0.25, 0.5, 0.25, 0], atol=1e-6)


def test_every_optimizer_of_keras_has_a_kind():
    optimizers = {
        name
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer)
    }
    assert {
        kind.keras_name for kind in KINDS.values()
    } == optimizers - ADAMW - WRAPPERS - WITH_MODES


@pytest.mark.parametrize("kind", KINDS)
def test_settings_have_the_names_and_defaults_of_keras(kind):
    signature = inspect.signature(getattr(keras.optimizers, KINDS[kind].keras_name))
    own = [declared for declared in fields(KINDS[kind]) if declared.name not in SHARED]
    rate = KINDS[kind].__dataclass_fields__["learning_rate"]
    for declared in [*own, rate]:
        assert declared.default is not MISSING
        assert declared.default == signature.parameters[declared.name].default


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_step(kind):
    weight = keras.Variable(np.ones((2, 2), "float32"))
    optimizer = KINDS[kind]().make(steps=10)
    optimizer.build([weight])
    optimizer.apply([np.full((2, 2), 0.5, "float32")])
    assert np.all(np.abs(np.asarray(weight) - 1) > 0)
