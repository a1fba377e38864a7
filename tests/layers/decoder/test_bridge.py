"""First states from what an encoder ended with."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, Bridge, RecurrentStack
from tests.layers.comparing import all_close, close


@pytest.fixture
def states(random):
    return [random.normal(size=(2, size)).astype("float32") for size in (3, 4, 2, 1)]


def test_dense_reads_all_states(random, states):
    bridge = Bridge([5, 6], activation="relu")
    bridge(states)
    values = [random.normal(size=weight.shape) for weight in bridge.weights]
    bridge.set_weights(values)
    joined = np.concatenate(states, axis=1)
    expected = [np.maximum(joined @ values[i] + values[i + 1], 0) for i in (0, 2)]
    all_close(bridge(states), expected)
    close(Bridge([3])(states[0])[0].shape, (2, 3))


def test_copies_states_and_joins_both_directions(states):
    all_close(Bridge([3, 4, 2, 1], kind="copy")(states), states)
    forward, backward = states[:2], states[2:]
    joined = [np.concatenate(pair, axis=1) for pair in zip(forward, backward, strict=True)]
    all_close(Bridge([5, 5], kind="copy")(states), joined)


def test_zeros_ignore_the_states(states):
    all_close(Bridge([3, 2], kind="zeros")(states), [np.zeros((2, 3)), np.zeros((2, 2))])


def test_config_makes_the_same_layer():
    bridge = Bridge([3, 4], activation="relu")
    assert Bridge.from_config(bridge.get_config()).get_config() == bridge.get_config()


def test_symbolic_states_are_accepted():
    found = Bridge([5])([keras.Input((3,)), keras.Input((4,))])
    assert [state.shape for state in found] == [(None, 5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": []}, r"a list of positive sizes, got \[\]; pass a decoder's state_sizes"),
        ({"sizes": [4], "kind": "mean"}, "a kind of .*'zeros'.*, got 'mean'; choose one"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Bridge(**options)


def test_a_copy_of_other_sizes_is_refused(states):
    with pytest.raises(UserError, match=r"states of sizes \[5, 4\], got \[3, 4, 2, 1\]; let both"):
        Bridge([5, 4], kind="copy")(states)


def test_a_copy_concatenates_both_directions_of_each_layer(random):
    x = random.normal(size=(3, 5, 2)).astype("float32")
    for layer, count in ((GRU, 1), (LSTM, 2)):
        stack = RecurrentStack(layer(4, return_state=True), 2, bidirectional=True)
        _, *states = stack(x)
        by_layer = [states[: 2 * count], states[2 * count :]]
        expected = [
            np.concatenate([level[cell], level[count + cell]], axis=-1)
            for level in by_layer
            for cell in range(count)
        ]
        sizes = [8] * len(expected)
        all_close(Bridge(sizes, "copy", layers=2)(states), expected)
        all_close(Bridge(sizes, "copy")(by_layer), expected)
        with pytest.raises(
            UserError, match=r"the number of the encoder's layers, got .* states of"
        ):
            Bridge(sizes, "copy")(states)
