import keras
import numpy as np
import pytest
from rnnpipe.training.optimizers import build_adam


def rates(**options):
    optimizer = build_adam(learning_rate=0.1, steps=10, **options)
    rate = optimizer._learning_rate
    return [float(rate(step)) if callable(rate) else float(rate) for step in range(11)]


def test_constant():
    np.testing.assert_allclose(rates(), 0.1, rtol=1e-6)


def test_cosine_falls_from_the_rate_to_zero():
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(11) / 10))
    np.testing.assert_allclose(rates(schedule="cosine"), expected, atol=1e-7)


def test_warmup_then_constant():
    np.testing.assert_allclose(
        rates(warmup_steps=4), [0, 0.025, 0.05, 0.075, *[0.1] * 7], atol=1e-7
    )


def test_warmup_then_cosine():
    warm = rates(schedule="cosine", warmup_steps=4)
    np.testing.assert_allclose(warm[:5], [0, 0.025, 0.05, 0.075, 0.1], atol=1e-7)
    assert warm[4:] == sorted(warm[4:], reverse=True)
    assert warm[-1] == pytest.approx(0, abs=1e-7)


def test_gradients_are_clipped_together():
    assert build_adam(learning_rate=0.1, steps=1, clip_norm=2.0).global_clipnorm == 2.0


def test_weights_decay_beside_their_gradients():
    weight = keras.Variable([2.0, -4.0])
    optimizer = build_adam(learning_rate=0.1, steps=1, weight_decay=0.5)
    optimizer.apply([keras.ops.zeros(2)], [weight])
    np.testing.assert_allclose(weight, [1.9, -3.8], rtol=1e-5)


def test_inverse_sqrt_rises_and_falls_with_the_root_of_the_steps():
    found = rates(schedule="inverse_sqrt", warmup_steps=4)
    expected = [0.1 * min(step / 4, (4 / max(step, 1)) ** 0.5) for step in range(11)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert max(found) == pytest.approx(0.1)


def test_a_plateau_leaves_the_rate_to_its_callback():
    np.testing.assert_allclose(rates(schedule="plateau"), 0.1, rtol=1e-6)
