"""Learned first states: what they are, and that they learn."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, LearnedState
from tests.layers.comparing import close


def test_every_sequence_starts_from_the_same_vectors(random):
    layer = LearnedState([2, 3], initializer="random_normal")
    first, second = layer(np.zeros((4, 5, 6)))
    for states, vector in zip((first, second), layer.get_weights(), strict=True):
        close(states, np.tile(vector, (4, 1)))


def test_learns_and_loads(random, predict_elsewhere):
    sequences = keras.Input((None, 3))
    states = LearnedState([2, 2])(sequences)
    model = keras.Model(sequences, LSTM(2)(sequences, initial_state=states))
    x, y = random.normal(size=(4, 5, 3)), random.normal(size=(4, 2))
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert all(np.all(vector != 0) for vector in model.layers[1].get_weights())
    (found,) = predict_elsewhere(model, [x])
    close(model(x), found)


@pytest.mark.parametrize("policy", ["float16", "mixed_bfloat16"])
def test_half_precision_is_supported(policy):
    layer = LearnedState([2], dtype=policy)
    (state,) = layer(np.zeros((4, 5, 6)))
    assert keras.backend.standardize_dtype(state.dtype) == layer.compute_dtype


@pytest.mark.parametrize("sizes", [[], [2, 0]])
def test_wrong_sizes_are_refused(sizes):
    with pytest.raises(UserError, match="expected a list of positive sizes, got"):
        LearnedState(sizes)
