import inspect
from dataclasses import MISSING, fields
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.loss_scale import LossScaleOptions
from rnnpipe.parts.optimizers import (
    AdamOptions,
    OptimizerOptions,
    SGDOptions,
)
from rnnpipe.parts.schedules import CosineScheduleOptions

KINDS: dict[str, Any] = OptimizerOptions.kinds.load()
SHARED = {declared.name for declared in fields(OptimizerOptions)} | {"kind"}
BASES = {"Optimizer", "MultiOptimizer"}  # the latter has an optimizer for each of several layers
SETTINGS = {"LossScaleOptimizer"}  # of every optimizer: `loss_scale`
# On TensorFlow, Keras 3.15 averages with the step that it has just taken in the place of the one
# before, and begins at zero where it is built while a step is traced.
WRONG = {"ScheduleFreeAdamW"}


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
    assert {kind.keras_name for kind in KINDS.values()} == optimizers - BASES - SETTINGS - WRONG


# Arguments of Keras' optimizers that every optimizer has under other names, and names of layers.
EVERYWHERE = {
    "clipnorm": "clip_variable_norm",
    "global_clipnorm": "clip_norm",
    "clipvalue": "clip_value",
    "use_ema": "ema",
    "ema_momentum": "ema",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
}
# A fixed scale changes nothing that `loss_scale` does not, and the running mean is put in the
# weights' place for validation and at the end of an epoch.
LEFT_OUT = {"loss_scale_factor", "ema_overwrite_frequency", "name", "kwargs"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_of_keras_is_a_setting(kind):
    arguments = inspect.signature(getattr(keras.optimizers, KINDS[kind].keras_name)).parameters
    settings = {declared.name for declared in fields(KINDS[kind])}
    assert {EVERYWHERE.get(name, name) for name in arguments} - LEFT_OUT <= settings


def test_the_loss_scale_has_the_settings_and_defaults_of_keras():
    arguments = inspect.signature(keras.optimizers.LossScaleOptimizer).parameters
    defaults = {declared.name: declared.default for declared in fields(LossScaleOptions)}
    known = {name: argument.default for name, argument in arguments.items()}
    assert defaults == {name: known[name] for name in known.keys() & defaults.keys()}
    assert known.keys() - defaults.keys() == {"inner_optimizer", "name", "kwargs"}


@pytest.mark.parametrize("kind", KINDS)
def test_settings_have_the_names_and_defaults_of_keras(kind):
    signature = inspect.signature(getattr(keras.optimizers, KINDS[kind].keras_name))
    own = [declared for declared in fields(KINDS[kind]) if declared.name not in SHARED]
    rate = KINDS[kind].__dataclass_fields__["learning_rate"]
    for declared in [*own, rate]:
        assert declared.default is not MISSING
        default = signature.parameters[declared.name].default
        # Keras takes None for no layers.
        without = declared.name == "exclude_layers" and default is None
        assert declared.default == (() if without else default)


def step(options, gradients):
    """A weight of ones after a step for each gradient, which is the same in all places."""
    weight = keras.Variable(np.ones((2, 2), "float32"))
    optimizer = options.make(steps=10)
    optimizer.build([weight])
    for gradient in gradients:
        # What a trainer does: the gradient of a scaled loss is as many times the gradient.
        scaled = float(optimizer.scale_loss(gradient))
        optimizer.apply([keras.ops.convert_to_tensor(np.full((2, 2), scaled, "float32"))])
    return np.asarray(weight)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_step(kind):
    assert np.all(np.abs(step(KINDS[kind](), [0.5]) - 1) > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_averages_the_gradients_of_several_batches(kind):
    options = {"clip_norm": None, "weight_decay": 1e-12}
    one = step(KINDS[kind](**options), [0.5])
    options["gradient_accumulation_steps"] = 2
    np.testing.assert_array_equal(step(KINDS[kind](**options), [0.25]), 1)
    np.testing.assert_allclose(step(KINDS[kind](**options), [0.25, 0.75]), one, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_scale_changes_no_step(kind):
    scaled = KINDS[kind](loss_scale=LossScaleOptions(initial_scale=1024.0))
    np.testing.assert_allclose(step(scaled, [0.5, -0.25]), step(KINDS[kind](), [0.5, -0.25]))


def test_gradients_are_clipped_in_one_way():
    far = {"learning_rate": 1.0, "weight_decay": 0.0}
    plain = {"clip_norm": None, **far}
    # The norm of four halves is 1, and so is that of the only variable.
    for clip in ({"clip_norm": 0.5}, {**plain, "clip_variable_norm": 0.5}):
        np.testing.assert_allclose(step(SGDOptions(**{**plain, **clip}), [0.5]), 0.75)
    np.testing.assert_allclose(step(SGDOptions(**plain, clip_value=0.125), [0.5]), 0.875)
    for ways in (
        {"clip_variable_norm": 1.0},
        {"clip_value": 1.0},
        {"clip_norm": None, "clip_variable_norm": 1.0, "clip_value": 1.0},
    ):
        with pytest.raises(UserError, match=r"expected null with clip_\w+, got .*: null"):
            SGDOptions(**ways)
