"""Groups of variables with rates of their own."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.parts.layer_groups import LayerGroups
from rnnpipe.parts.loss_scale import LossScaleOptions
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions, SGDOptions
from rnnpipe.parts.schedules import CosineScheduleOptions

KINDS: dict[str, Any] = OptimizerOptions.kinds.load()
FACTORS, STEPS = (0.1, 0.5, 1.0), 6
UNFROZEN_AT = (4, 2, 0)  # the step from which each group is trained
RANDOM = np.random.default_rng(5)
FIRST = [RANDOM.normal(size=(3, 2)) for _ in FACTORS]
GRADIENTS = [[RANDOM.normal(size=(3, 2)) for _ in FACTORS] for _ in range(STEPS)]


def make_variables(dtype="float64"):
    return [keras.Variable(values, dtype=dtype) for values in FIRST]


def take_steps(options, *, unfrozen_at=UNFROZEN_AT, steps=STEPS, dtype="float64"):
    """The variables after steps with groups that are unfrozen one after the other."""
    variables = make_variables(dtype)
    groups = LayerGroups(FACTORS, lambda variable: [id(v) for v in variables].index(id(variable)))
    optimizer = options.make(steps=STEPS, groups=groups)
    optimizer.build(variables)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for step in range(steps):
        inner.frozen = frozenset(n for n, first in enumerate(unfrozen_at) if step < first)
        gradients = [tf.constant(gradient, dtype) for gradient in GRADIENTS[step]]
        optimizer.apply([optimizer.scale_loss(gradient) for gradient in gradients], variables)
    return [variable.numpy() for variable in variables], optimizer


def rate(step):
    return 0.3 * (1 + np.cos(np.pi * step / STEPS)) / 2


def clip(gradients, norm):
    total = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient * min(1.0, norm / total) for gradient in gradients]


def test_adamw_of_each_group_is_one_of_its_own():
    expected = [first.copy() for first in FIRST]
    moments = [(np.zeros((3, 2)), np.zeros((3, 2)), 0) for _ in FACTORS]
    for step in range(STEPS):
        trained = [n for n, first in enumerate(UNFROZEN_AT) if step >= first]
        clipped = clip([GRADIENTS[step][n] for n in trained], 1.5)
        for n, gradient in zip(trained, clipped, strict=True):
            mean, square, count = moments[n]
            mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
            moments[n] = mean, square, count + 1
            step_size = FACTORS[n] * rate(step)
            expected[n] -= step_size * 0.2 * expected[n]
            scale = np.sqrt(square / (1 - 0.99 ** (count + 1))) + 1e-7
            expected[n] -= step_size * mean / (1 - 0.9 ** (count + 1)) / scale
    options = AdamOptions(
        learning_rate=0.3,
        schedule=CosineScheduleOptions(),
        beta_2=0.99,
        weight_decay=0.2,
        clip_norm=1.5,
    )
    values, optimizer = take_steps(options)
    # The powers of the decays have 32 bits.
    np.testing.assert_allclose(values, expected, atol=2e-5)
    assert float(optimizer.learning_rate) == pytest.approx(rate(STEPS), abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_the_steps_of_separate_optimizers(kind):
    options = KINDS[kind](learning_rate=0.3, clip_norm=None, weight_decay=0.2)
    values, _ = take_steps(options, dtype="float32")  # Muon has no other type
    for n, (factor, first) in enumerate(zip(FACTORS, UNFROZEN_AT, strict=True)):
        variable = make_variables("float32")[n]
        alone = KINDS[kind](learning_rate=0.3 * factor, clip_norm=None, weight_decay=0.2)
        optimizer = alone.make(steps=STEPS)
        for gradients in GRADIENTS[first:]:
            optimizer.apply([tf.constant(gradients[n], "float32")], [variable])
        np.testing.assert_allclose(values[n], variable.numpy(), rtol=1e-5, atol=1e-6)


def test_a_frozen_group_stays_to_the_last_bit_in_its_running_mean_too():
    options = SGDOptions(momentum=0.9, weight_decay=0.5, ema=0.7, clip_norm=0.5)
    values, optimizer = take_steps(options, unfrozen_at=(4, 0, 0), steps=4)
    means = [mean.numpy() for mean in optimizer._model_variables_moving_average]
    np.testing.assert_array_equal(values[0], FIRST[0])
    np.testing.assert_array_equal(means[0], FIRST[0])
    assert not np.allclose(values[1], means[1], rtol=1e-3)  # which has begun to lag behind
    values, optimizer = take_steps(options, unfrozen_at=(5, 0, 0))
    # One step after it is unfrozen the mean has three tenths of that step.
    mean = optimizer._model_variables_moving_average[0].numpy()
    np.testing.assert_allclose(mean, 0.7 * FIRST[0] + 0.3 * values[0], rtol=1e-6)


def test_gradients_are_accumulated_before_they_are_divided_among_groups():
    options = SGDOptions(
        learning_rate=0.3, gradient_accumulation_steps=2, clip_norm=1.0, weight_decay=0.1
    )
    expected = [first.copy() for first in FIRST]
    for step in range(0, STEPS, 2):
        pairs = zip(*GRADIENTS[step : step + 2], strict=True)
        for n, gradient in enumerate(clip([(one + two) / 2 for one, two in pairs], 1.0)):
            expected[n] -= 0.3 * FACTORS[n] * (0.1 * expected[n])
            expected[n] -= 0.3 * FACTORS[n] * gradient
    values, _ = take_steps(options, unfrozen_at=(0, 0, 0))
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_a_loss_scale_changes_no_step():
    plain, _ = take_steps(AdamOptions())
    scaled, _ = take_steps(AdamOptions(loss_scale=LossScaleOptions(initial_scale=8.0)))
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)


def test_its_state_is_all_that_its_steps_depend_on():
    _, optimizer = take_steps(AdamOptions(ema=0.5))
    # Own: steps, rate, three means; of each group: steps and two moments.
    assert len(optimizer.variables) == 2 + 3 + 3 * 3
    with pytest.raises(NotImplementedError, match="save the model without its optimizer"):
        optimizer.get_config()
