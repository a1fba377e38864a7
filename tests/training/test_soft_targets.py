import keras
import numpy as np
import tensorflow as tf

from rnnpipe.metrics.vqa import vqa_accuracy
from rnnpipe.training.soft_targets import soft_cross_entropy, soft_vqa_accuracy


def test_loss_equals_its_definition():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(3, 5)), rng.dirichlet(np.ones(5), size=3)
    targets[1, 2:] = 0  # some people gave answers that are not known
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -(targets * np.log(probabilities)).sum(axis=1)
    np.testing.assert_allclose(soft_cross_entropy(targets, logits), expected, rtol=1e-6)


def test_first_loss_is_the_logarithm_of_the_number_of_answers():
    targets = np.eye(7)[:3]
    np.testing.assert_allclose(soft_cross_entropy(targets, np.zeros((3, 7))), np.log(7), rtol=1e-6)


def test_gradient_of_targets_that_sum_to_less_than_one_is_right():
    logits = tf.Variable([[1.0, -2.0, 0.5]], dtype="float64")
    targets = tf.constant([[0.2, 0.0, 0.3]], dtype="float64")
    with tf.GradientTape() as tape:
        loss = soft_cross_entropy(targets, logits)
    expected = 0.5 * tf.nn.softmax(logits) - targets
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, rtol=1e-6)


def test_unknown_answers_have_no_loss_and_no_gradient():
    logits = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = soft_cross_entropy(tf.zeros((1, 2)), logits)
    assert float(loss[0]) == 0
    assert np.abs(tape.gradient(loss, logits)).max() == 0


def test_accuracy_equals_the_official_one():
    for count in range(11):
        answers = ["yes"] * count + ["no"] * (10 - count)
        targets = np.array([[count / 10, 1 - count / 10]], "float32")
        ours = float(soft_vqa_accuracy(targets, np.array([[1.0, 0.0]]))[0])
        assert np.isclose(ours, vqa_accuracy("yes", answers), atol=1e-6)


def test_both_are_restored_by_their_registered_names():
    for function in (soft_cross_entropy, soft_vqa_accuracy):
        config = keras.saving.serialize_keras_object(function)
        assert keras.saving.deserialize_keras_object(config) is function
