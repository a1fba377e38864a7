"""Monotonic attention where it is hard: long memories, unknown lengths, noise."""

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import AdditiveAttention, GeneralAttention, HardAttention, MonotonicAttention
from tests.layers.attention.mechanisms import filled
from tests.layers.comparing import all_close, close


def monotonic(random, mechanism=AdditiveAttention, **options):
    return filled(MonotonicAttention(mechanism(3, normalize=True), **options), random, 2)


def at(position, length):
    return np.eye(length, dtype="float32")[None, None, position]


def test_no_probability_is_lost_in_a_long_memory(random):
    """Where each stop is all but sure, the products of 1 - p underflow within a few positions."""
    layer = monotonic(random, noise=0.0)
    layer.score_bias.assign([40.0])
    _, alignments = layer(
        np.ones((1, 2)), np.ones((1, 300, 4)), state=((), at(200, 300)), training=True
    )
    close(alignments, at(200, 300))


def test_alignments_move_monotonically(random):
    layer = monotonic(random)
    memory = random.normal(size=(4, 9, 4))
    state, places = layer.first_state(memory), []
    for query in random.normal(size=(6, 4, 2)):
        _, alignments = layer(query, memory, state=state)
        state = layer.next_state(state, alignments)
        places.append(
            np.where(alignments[:, 0].numpy().any(-1), alignments[:, 0].numpy().argmax(-1), 9)
        )
    assert np.all(np.diff(places, axis=0) >= 0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_an_unknown_length_has_the_same_outputs(random, jit_compile):
    layer = monotonic(random, noise=0.0)
    query, memory = tf.ones((1, 2)), tf.constant(random.normal(size=(1, 7, 4)), "float32")

    def look(memory):
        with tf.GradientTape() as tape:
            tape.watch(memory)
            context, alignments = layer(query, memory, training=True)
            loss = tf.reduce_sum(context**2)
        return context, alignments, tape.gradient(loss, memory)

    unknown = tf.TensorSpec((None, None, 4))
    compiled = tf.function(look, input_signature=[unknown], jit_compile=jit_compile)
    all_close(compiled(memory), look(memory))


def test_noise_only_in_training(random):
    layer = monotonic(random, noise=2.0, hard=False, seed=1)
    given = np.ones((1, 2)), random.normal(size=(1, 5, 4))
    still = layer(*given)[1]
    close(layer(*given)[1], still)
    assert np.abs(layer(*given, training=True)[1] - still).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MonotonicAttention(GeneralAttention(), noise=-1.0), "noise of at least 0, got -1"),
        (
            lambda: MonotonicAttention(HardAttention(GeneralAttention())),
            "MonotonicAttention: expected a mechanism that aligns by softmax, got HardAttention",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_grid_is_no_sequence():
    message = r"expected a memory \(batch, source_time, features\), got \(1, 2, 2, 4\)"
    with pytest.raises(UserError, match=message):
        MonotonicAttention(GeneralAttention())(np.ones((1, 2)), np.ones((1, 2, 2, 4)))
