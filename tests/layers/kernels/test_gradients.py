"""Gradients of the kernels: of every kind of tape, and of first order alone."""

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.training.log_likelihood import log_likelihood
from tests.layers.cases import KERNELS, VOCAB, call_case, every_kernel
from tests.layers.comparing import all_close, close


def persistent(loss, weight):
    with tf.GradientTape(persistent=True) as tape:
        first, second = loss(), 2.0 * loss()
    return tape.gradient(first, weight), tape.gradient(second, weight) / 2


def two_tapes(loss, weight):
    with tf.GradientTape() as tape, tf.GradientTape() as other:
        value = loss()
    return tape.gradient(value, weight), other.gradient(value, weight)


def in_a_branch(loss, weight):
    with tf.GradientTape() as tape:
        value = tf.cond(tf.reduce_sum(weight) < 1e9, loss, lambda: tf.reduce_sum(weight))
    return [tape.gradient(value, weight)]


def in_a_loop(loss, weight):
    with tf.GradientTape() as tape:
        _, value = tf.while_loop(
            lambda t, _: t < 2,
            lambda t, total: (t + 1, total + loss() / 2),
            (0, 0.0 * tf.reduce_sum(weight)),
        )
    return [tape.gradient(value, weight)]


def beside_a_constant_gradient(loss, weight):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss()
        norm = tf.norm(inner.gradient(value, weight))
        total = value + tf.stop_gradient(norm)
    return [outer.gradient(total, weight)]


def second_order(loss, weight):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss()
        norm = tf.norm(inner.gradient(value, weight))
    return [outer.gradient(norm, weight)]


TARGETS = np.arange(10).reshape(2, 5) % VOCAB


def loss_and_weight(name):
    """A loss with a kernel in it, and a weight that its gradient is taken for."""
    if name == "log_likelihood":
        logits = tf.Variable(np.random.default_rng(3).normal(size=(2, 5, VOCAB)))
        return lambda: tf.reduce_sum(log_likelihood(TARGETS, logits * 1.0)[0] ** 2), logits
    layer, inputs, _ = call_case(name, dtype="float64")
    inputs = [tf.constant(array) for array in inputs]

    def loss():
        outputs = tf.nest.flatten(layer(*inputs, training=True))
        return sum(tf.reduce_sum(output**2) for output in outputs)

    # Of a recurrence, since the products before and after the loops have all their gradients.
    recurrent = [weight for weight in layer.trainable_weights if "recurrent" in weight.path]
    return loss, recurrent[0].value


@pytest.mark.parametrize("name", [*KERNELS, "log_likelihood"])
def test_gradients_are_the_same_for_every_kind_of_tape(name):
    loss, weight = loss_and_weight(name)
    kinds = (persistent, two_tapes, in_a_branch, in_a_loop, beside_a_constant_gradient)

    def all_kinds():
        return [gradient for kind in kinds for gradient in kind(loss, weight)]

    with tf.GradientTape() as tape:
        value = loss()
    expected = tape.gradient(value, weight).numpy()
    assert np.abs(expected).max() > 1e-3
    for gradients in (all_kinds(), tf.function(all_kinds, autograph=False)()):
        for gradient in gradients:
            close(gradient, expected)


def in_graph(function):
    # AutoGraph would wrap the error.
    return tf.function(function, autograph=False)


@every_kernel
@pytest.mark.parametrize("run", [lambda f: f, in_graph], ids=["eager", "graph"])
def test_second_order_gradients_are_refused(name, run):
    loss, weight = loss_and_weight(name)
    with pytest.raises(UserError, match="first order, got gradients of gradients"):
        run(lambda: second_order(loss, weight))()


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_log_likelihoods_have_gradients_of_gradients(run):
    logits = tf.Variable(np.random.default_rng(3).normal(size=(2, 5, VOCAB)))

    def plain():
        found = tf.nn.log_softmax(logits)
        return tf.reduce_sum(tf.gather(found, TARGETS, batch_dims=2) ** 2)

    def kernel():
        return tf.reduce_sum(log_likelihood(TARGETS, logits * 1.0)[0] ** 2)

    expected = second_order(plain, logits)
    all_close(run(lambda: second_order(kernel, logits))(), expected)
