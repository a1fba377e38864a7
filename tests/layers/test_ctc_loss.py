"""The CTC loss against the sum over every path."""

import itertools
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import count_ctc_frames, ctc_loss
from tests.decoding.ctc.oracles import every_labelling
from tests.layers.comparing import check_slopes

VOCAB, TIME = 3, 5

ctc_module: Any = import_module("rnnpipe.layers.ctc_loss")  # which its function hides


def loss_of(logits, target):
    return -np.log(every_labelling(logits)[tuple(target)])


def padded(targets):
    time = max([1, *map(len, targets)])
    return np.array([[*target, *[0] * (time - len(target))] for target in targets], "int32")


def test_equals_the_sum_over_all_paths_of_every_target(random):
    logits = random.normal(size=(TIME, VOCAB), scale=2.0).astype("float32")
    found = every_labelling(logits)
    targets, rows = list(found), np.tile(logits, (len(found), 1, 1))
    lengths = np.array([len(target) for target in targets])
    loss = ctc_loss(padded(targets), rows, lengths, np.full(len(targets), TIME))
    assert len(targets) > 20
    assert np.all(loss.feasible)
    np.testing.assert_allclose(loss.losses, -np.log(list(found.values())), rtol=1e-5, atol=1e-6)


TARGETS = [[1, 2], [2, 2], [], [1]]
LENGTHS = np.array([5, 4, 3, 1])


def test_padding_and_batch_change_nothing_even_where_padding_is_nan(random):
    logits = random.normal(size=(4, TIME + 2, VOCAB)).astype("float32")
    logits[np.arange(TIME + 2) >= LENGTHS[:, None]] = np.nan
    targets = np.concatenate([padded(TARGETS), np.full((4, 2), 2)], axis=1)
    counts = np.array([len(target) for target in TARGETS])
    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        loss = ctc_loss(targets, tensor, counts, LENGTHS)
    slopes = tape.gradient(loss.losses, tensor).numpy()
    assert np.isfinite(slopes).all()
    assert not slopes[np.isnan(logits)].any()
    for row, (target, length) in enumerate(zip(TARGETS, LENGTHS, strict=True)):
        expected = loss_of(logits[row, :length], target)
        np.testing.assert_allclose(loss.losses[row], expected, rtol=1e-5)


def test_gradients_equal_slopes_of_the_sum_over_all_paths(random):
    logits = random.normal(size=(4, TIME, VOCAB))
    counts = np.array([len(target) for target in TARGETS])
    shares = random.normal(size=4)

    def function():
        losses = [loss_of(logits[n, : LENGTHS[n]], TARGETS[n]) for n in range(4)]
        return float(shares @ losses)

    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.tensordot(
            tf.constant(shares), ctc_loss(padded(TARGETS), tensor, counts, LENGTHS).losses, 1
        )
    slopes = tape.gradient(total, tensor)
    check_slopes([slopes], function, [logits])


INFEASIBLE = [([1, 1], 2), ([1, 2, 1], 2), ([1], 0), ([2, 2, 2], 4)]
FEASIBLE = [([1, 1], 3), ([1, 2, 1], 3), ([], 0), ([2, 2, 2], 5)]


def test_targets_that_need_more_frames_are_marked_and_have_no_loss_and_gradient(random):
    cases = INFEASIBLE + FEASIBLE
    targets, lengths = zip(*cases, strict=True)
    counts = np.array([len(target) for target in targets])
    tensor = tf.constant(random.normal(size=(8, TIME, VOCAB)).astype("float32"))
    for call in (ctc_loss, tf.function(ctc_loss)):
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            loss = call(tf.constant(padded(targets)), tensor, counts, tf.constant(lengths))
        slopes = tape.gradient(loss.losses, tensor).numpy()
        assert np.asarray(loss.feasible).tolist() == [False] * 4 + [True] * 4
        assert np.isfinite(loss.losses).all()
        assert np.isfinite(slopes).all()
        assert not np.any(loss.losses[:4])
        assert not slopes[:4].any()
        assert np.asarray(loss.losses)[[4, 5, 7]].all()
        assert loss.losses[6] == 0


def test_the_kernel_is_equal_to_the_operation_of_keras(random, monkeypatch):
    lengths, counts = np.array([9, 7, 5]), np.array([4, 3, 1])
    targets, logits = random.integers(1, 6, size=(3, 4)), random.normal(size=(3, 9, 6))
    found = []
    for choose in (lambda: None, ctc_module.find_ctc_loss):
        monkeypatch.setattr(ctc_module, "find_ctc_loss", choose)
        tensor = tf.constant(logits, "float32")
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            losses = ctc_loss(targets, tensor, counts, lengths).losses
        found.append((losses, tape.gradient(losses, tensor)))
    for plain, fast in zip(*found, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("rows", "time", "tokens"), [(0, 4, 2), (2, 0, 2), (2, 4, 0), (0, 0, 0)])
def test_nothing_to_learn_has_finite_losses(rows, time, tokens):
    targets, counts = np.ones((rows, tokens), "int32"), np.full(rows, tokens)
    loss = ctc_loss(targets, np.zeros((rows, time, VOCAB)), counts, np.full(rows, time))
    assert loss.losses.shape == (rows,)
    assert np.isfinite(loss.losses).all()
    assert np.asarray(loss.feasible).tolist() == [time > 0 or tokens == 0] * rows


def test_frames_are_counted_as_the_shortest_path_that_collapses_to_a_target():
    for target in itertools.chain.from_iterable(
        itertools.product((1, 2), repeat=n) for n in range(TIME)
    ):
        frames = int(count_ctc_frames(padded([target, [1] * TIME]), np.array([len(target), 2]))[0])
        for time, can in ((frames, True), (frames - 1, False)):
            if time > 0:
                assert (target in every_labelling(np.zeros((time, VOCAB)))) == can


@pytest.mark.parametrize("token", [0, -1, VOCAB])
def test_tokens_that_no_path_has_are_refused(token):
    targets = np.array([[1, token, 9]])  # what comes after the length is not read
    with pytest.raises(UserError, match=rf"targets of tokens from 1 to 2, got \[{token}\]; pass"):
        ctc_loss(targets, np.zeros((1, 4, VOCAB)), np.array([2]), np.array([4]))
    assert ctc_loss(targets, np.zeros((1, 4, VOCAB)), np.array([1]), np.array([4])).feasible[0]


def test_other_ranks_are_refused():
    with pytest.raises(UserError, match=r"ctc_loss: expected targets .*, got \(2,\) and \(1, 2, 3"):
        ctc_loss(np.ones(2), np.zeros((1, 2, 3)), np.ones(1), np.ones(1))
