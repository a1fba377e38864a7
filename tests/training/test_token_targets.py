import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from tests.layers.reference import numeric_gradient

TARGETS = np.array([[4, 1, 3, 0], [2, 0, 0, 0]])
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(0, 2, (2, 4, 6))


def smoothed_loss(targets, logits, smoothing):
    """The definition, token by token."""
    losses = []
    for row, sentence in zip(targets, logits, strict=True):
        for target, scores in zip(row, sentence, strict=True):
            if target:
                log_p = scores - np.log(np.exp(scores).sum())
                losses.append(-(1 - smoothing) * log_p[target] - smoothing * log_p.mean())
    return np.mean(losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_loss_equals_its_definition(smoothing):
    loss = TokenCrossEntropy(smoothing, dtype="float64")(TARGETS, LOGITS)
    np.testing.assert_allclose(float(loss), smoothed_loss(TARGETS, LOGITS, smoothing), rtol=1e-12)


def test_first_loss_is_the_logarithm_of_the_vocabulary():
    loss = TokenCrossEntropy(0.1)(TARGETS, np.zeros((2, 4, 6)))
    np.testing.assert_allclose(float(loss), np.log(6), rtol=1e-6)


def test_gradient_is_right_and_zero_on_padding():
    loss = TokenCrossEntropy(0.2, dtype="float64")
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(TARGETS, logits)
    gradient = tape.gradient(value, logits).numpy()
    array = LOGITS.copy()
    expected = numeric_gradient(lambda: smoothed_loss(TARGETS, array, 0.2), array)
    np.testing.assert_allclose(gradient, expected, atol=1e-9)
    assert not gradient[TARGETS == 0].any()


def test_more_padding_changes_nothing():
    loss = TokenCrossEntropy(0.1)
    padded = np.pad(TARGETS, [(0, 0), (0, 3)]), np.pad(LOGITS, [(0, 0), (0, 3), (0, 0)])
    assert float(loss(*padded)) == pytest.approx(float(loss(TARGETS, LOGITS)), rel=1e-6)


def test_a_mask_of_the_logits_is_applied_once():
    logits = tf.constant(LOGITS, "float32")
    expected = float(TokenCrossEntropy(0.1)(TARGETS, logits))
    logits._keras_mask = tf.constant(TARGETS != 0)
    assert float(TokenCrossEntropy(0.1)(TARGETS, logits)) == pytest.approx(expected)


def test_a_batch_of_padding_has_no_loss():
    assert float(TokenCrossEntropy(0.1)(np.zeros((2, 3), int), np.ones((2, 3, 5)))) == 0


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(UserError, match="smoothing: expected a share from 0 to below 1"):
        TokenCrossEntropy(smoothing)


def test_perplexity_is_of_all_tokens_and_not_of_batches():
    metric = Perplexity()
    for row in range(2):
        metric.update_state(TARGETS[row : row + 1], LOGITS[row : row + 1])
    expected = np.exp(smoothed_loss(TARGETS, LOGITS, 0.0))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)
    metric.reset_state()
    metric.update_state(TARGETS, np.zeros((2, 4, 6)))
    assert float(metric.result()) == pytest.approx(6, rel=1e-6)


def test_half_precision_is_summed_in_full():
    logits = tf.zeros((1, 2, 3000), "bfloat16")
    metric = Perplexity()
    metric.update_state(np.array([[1, 2]]), logits)
    assert float(metric.result()) == pytest.approx(3000, rel=1e-5)
    assert float(TokenCrossEntropy()(np.array([[1, 2]]), logits)) == pytest.approx(np.log(3000))


def test_the_loss_is_restored_with_a_saved_model():
    loss = keras.losses.deserialize(keras.losses.serialize(TokenCrossEntropy(0.3)))
    assert isinstance(loss, TokenCrossEntropy)
    assert loss.smoothing == 0.3
