"""Hard attention samples what it says, and REINFORCE teaches it."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    AdditiveAttention,
    GeneralAttention,
    HardAttention,
    MovingAverage,
    reinforce_loss,
)
from tests.layers.attention.mechanisms import filled
from tests.layers.comparing import close

ROWS, POSITIONS = 4000, 4


@pytest.fixture
def looked(random):
    """Many samples for one query and memory, of which the last position is masked."""
    layer = filled(HardAttention(AdditiveAttention(3), expected_share=0.0, seed=2), random, 2)
    query, memory = random.normal(size=(1, 2)), random.normal(size=(1, POSITIONS, 4))
    mask = np.array([[True, True, True, False]])
    given = [np.repeat(each, ROWS, axis=0) for each in (query, memory, mask)]
    return (*layer(*given, training=True), memory[0])


def test_samples_follow_the_probabilities(looked):
    context, alignments, memory = looked
    samples, chances = (alignments[key].numpy()[:, 0] for key in ("samples", "probabilities"))
    assert set(samples.ravel()) == {0.0, 1.0}
    assert np.all(samples.sum(-1) == 1)
    assert not np.any(samples[:, 3])
    # Five standard deviations.
    error = 5 * np.sqrt(chances[0] * (1 - chances[0]) / ROWS)
    assert np.all(np.abs(samples.mean(0) - chances[0]) <= error)
    close(context, samples @ memory)


def test_some_rows_use_the_expected_alignments(random):
    layer = filled(HardAttention(AdditiveAttention(3), expected_share=0.5, seed=2), random, 2)
    query, memory = np.ones((ROWS, 2)), random.normal(size=(ROWS, POSITIONS, 4))
    _, alignments = layer(query, memory, training=True)
    kept = np.all(alignments["samples"] == alignments["probabilities"], axis=(1, 2))
    assert abs(kept.mean() - 0.5) < 5 * 0.5 / np.sqrt(ROWS)


def test_no_gradient_passes_through_a_sample(random):
    layer = filled(HardAttention(AdditiveAttention(3)), random, 2)
    with tf.GradientTape() as tape:
        context, _ = layer(np.ones((1, 2)), random.normal(size=(1, POSITIONS, 4)), training=True)
    weights = [weight.value for weight in layer.trainable_weights]
    assert tape.gradient(context, weights) == [None] * len(weights)


def test_the_loss_by_hand():
    log_likelihood = np.array([-1.0, -5.0])
    probabilities = np.array([[[0.5, 0.5, 0.0]], [[0.25, 0.75, 0.0]]])[:, None].repeat(2, axis=1)
    samples = np.array([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])[:, None].repeat(2, axis=1)
    mask = np.array([[True, True], [True, False]])
    loss = reinforce_loss(
        log_likelihood, samples, probabilities, -3.0, mask, reward_weight=2.0, entropy_weight=0.1
    )
    entropies = [2 * np.log(2), -0.25 * np.log(0.25) - 0.75 * np.log(0.75)]
    chances = [2 * np.log(0.5), np.log(0.75)]
    close(loss[0], 1 - 2 * 2 * chances[0] - 0.1 * entropies[0], 1e-12)
    close(loss[1], 5 + 2 * 2 * chances[1] - 0.1 * entropies[1], 1e-12)


@pytest.mark.parametrize("baseline", [0.0, -1.5])
def test_the_expected_gradient_is_that_of_the_expected_likelihood(random, baseline):
    """All pairs of looks in turn, each with its chance: the exact mean gradient."""
    scores, rewards = tf.constant(random.normal(size=(2, 3))), random.normal(size=(3, 3))
    pairs = list(itertools.product(range(3), repeat=2))
    samples = np.eye(3)[np.array(pairs)][:, :, None]  # (pairs, target_time, glimpses, positions)
    reward = np.array([rewards[pair] for pair in pairs])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        chances = tf.nn.softmax(scores)
        each = tf.stack([chances[0, i] * chances[1, j] for i, j in pairs])
        expected = tf.reduce_sum(each * reward)
        looks = tf.repeat(chances[None, :, None], len(pairs), axis=0)
        loss = reinforce_loss(reward, samples, looks, baseline)
        loss = tf.reduce_sum(tf.stop_gradient(each) * loss)
    close(tape.gradient(loss, scores), -tape.gradient(expected, scores), 1e-12)


def test_an_entirely_masked_memory_passes_no_nan():
    with tf.GradientTape() as tape:
        probabilities = tf.zeros((1, 1, 1, 3))
        tape.watch(probabilities)
        loss = reinforce_loss(
            tf.constant([-1.0]), tf.zeros((1, 1, 1, 3)), probabilities, entropy_weight=1.0
        )
    assert loss.numpy().tolist() == [1.0]
    assert np.isfinite(tape.gradient(loss, probabilities)).all()


def test_a_moving_average():
    layer = MovingAverage(0.75)
    assert float(layer(np.array([-8.0, -12.0]), training=True)) == -10.0
    assert float(layer(np.array([-2.0, -2.0]), training=True)) == -8.0
    assert float(layer(np.array([5.0, 5.0]))) == -8.0
    assert MovingAverage.from_config(layer.get_config()).momentum == 0.75


def test_a_tiny_model_learns_where_to_attend(random):
    """Each position has a name and a colour; the query is a name, the answer its colour."""
    keras.utils.set_random_seed(1)
    count, names, colours = 512, 4, 3
    named = np.array([random.permutation(names) for _ in range(count)])
    colour = random.integers(colours, size=(count, names))
    asked = random.integers(names, size=count)
    answer = colour[named == asked[:, None]]
    memory = np.concatenate([np.eye(names)[named], np.eye(colours)[colour]], axis=-1)

    query = keras.Input((names,))
    scene = keras.Input((names, names + colours))
    label = keras.Input((), dtype="int32")
    attention = HardAttention(GeneralAttention(), expected_share=0.0, seed=1)
    context, looks = attention(query, scene)
    logits = keras.layers.Dense(colours)(context)
    log_likelihood = -ops.sparse_categorical_crossentropy(label, logits, from_logits=True)
    loss = reinforce_loss(
        log_likelihood,
        looks["samples"][:, None],  # a target_time of one step
        looks["probabilities"][:, None],
        MovingAverage()(log_likelihood),
        entropy_weight=0.01,
    )
    trainer = keras.Model([query, scene, label], loss)
    trainer.compile(keras.optimizers.Adam(0.05), loss=lambda _, loss: loss)
    given = [np.eye(names)[asked], memory, answer]
    trainer.fit(given, np.zeros(count), batch_size=32, epochs=8, verbose=0)
    model = keras.Model([query, scene], [logits, looks["samples"]])
    predicted, samples = model.predict(given[:2], verbose=0)
    assert np.mean(predicted.argmax(-1) == answer) > 0.95
    assert np.mean(samples[:, 0].argmax(-1) == (named == asked[:, None]).argmax(-1)) > 0.95


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HardAttention(AdditiveAttention(2), expected_share=2.0), "in .0, 1., got 2.0"),
        (lambda: HardAttention(keras.layers.Dense(2)), "a mechanism, got Dense; pass e.g."),
        (lambda: MovingAverage(1.0), r"a momentum in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_moving_average_moves_in_half_precision():
    average = MovingAverage(0.99, dtype="mixed_float16")
    for value in [-200.0] * 400 + [-201.0] * 400:
        last = average(np.full(4, value, "float32"), training=True)
    close(last, -200.98, 1e-4)
