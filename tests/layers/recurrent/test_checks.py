"""The error of a wrong call has the layer, the expectation and the value."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, RecurrentStack, VanillaRNN

every_layer = pytest.mark.parametrize("layer", [LSTM, GRU, VanillaRNN])
X, STATE = np.zeros((3, 4, 5)), np.zeros((3, 2))


@every_layer
def test_wrong_sequences_are_refused(layer):
    reader, kind = layer(2, name="reader"), layer.__name__
    shape = rf"{kind} 'reader': expected sequences of shape \(batch, time, "
    with pytest.raises(UserError, match=shape + r"features\), got \(3, 4\); make every step a v"):
        reader(np.zeros((3, 4)))
    with pytest.raises(UserError, match=shape + r"features\), got \(None, 4\)"):
        reader.build((None, 4))
    reader(X)
    with pytest.raises(UserError, match=shape + r"5\), got \(3, 2, 6\); pass as many features"):
        reader(np.zeros((3, 2, 6)))
    with pytest.raises(UserError, match=shape + r"5\), got \(None, None, 6\)"):
        reader(keras.Input((None, 6)))
    with pytest.raises(UserError, match=f"{kind} 'reader': expected sequences of numbers, got dt"):
        reader(np.full(X.shape, "a"))


def test_layers_in_a_stack_warn_too():
    with pytest.raises(UserError, match=r"LSTM 'level_0': expected sequences of shape"):
        RecurrentStack(LSTM(2), 2)(np.zeros((3, 4)))


def test_sizes_must_be_fixed_where_options_need_it():
    with pytest.raises(UserError, match=r"a fixed length, since unroll=True, got \(None, None, 5"):
        LSTM(2, unroll=True)(keras.Input((None, 5)))
    with pytest.raises(UserError, match=r"a fixed batch size, since stateful=True, got \(No"):
        LSTM(2, stateful=True)(keras.Input((4, 5)))
    layer = LSTM(2, stateful=True)
    layer(X)
    with pytest.raises(UserError, match=r"a batch size of 3, that of the states it keeps, got \(2"):
        layer(X[:2])


@pytest.mark.parametrize(
    ("states", "got"),
    [
        ([STATE], r"got 1 of \[\(3, 2\)\]; pass the states"),
        ([STATE, np.zeros((3, 7))], r"got 2 of \[\(3, 2\), \(3, 7\)\]; pass the states"),
        (0.0, r"got 1 of \[\(\)\]"),
    ],
)
def test_wrong_states_are_refused(states, got):
    expected = r"LSTM 'reader': expected initial_state of "
    with pytest.raises(UserError, match=expected) as raised:
        LSTM(2, name="reader")(X, initial_state=states)
    raised.match(got)


def test_states_that_are_no_numbers_are_refused():
    with pytest.raises(UserError, match="GRU 'reader': expected initial_state of numbers, got dt"):
        GRU(2, name="reader")(X, initial_state=np.full((3, 2), "a"))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((3, 9), bool), r"of shape \(batch, time\) = \(3, 4\), got \(3, 9\); pass one b"),
        (np.full((3, 4), "a"), "of numbers, got dtype"),
    ],
)
def test_a_wrong_mask_is_refused(mask, message):
    with pytest.raises(UserError, match="LSTM 'reader': expected a mask " + message):
        LSTM(2, name="reader")(X, mask=mask)
