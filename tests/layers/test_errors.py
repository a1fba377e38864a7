"""Arguments of the wrong kind are refused before their values are read."""

import keras
import pytest
from keras import ops

import rnnpipe.layers
from rnnpipe.decoding import greedy_search
from rnnpipe.errors import UserError
from rnnpipe.layers import (
    GRU,
    AdditiveAttention,
    AttentionDecoder,
    Bridge,
    GRUCell,
    LSTMCell,
    RecurrentStack,
    WordDropout,
    Zoneout,
)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda step, state: greedy_search(step, state, max_length=4, end=[3, 4]), "end: expected"),
        (
            lambda step, state: greedy_search(step, {"h": state, "mask": None}, max_length=4),
            "state: expected nested tensors",
        ),
        (lambda step, state: greedy_search(step, state, max_length=4, start="a"), "start: expect"),
        (lambda step, state: greedy_search(step, state, max_length=4, start=0.5), "start: expect"),
        (lambda *_: RecurrentStack(GRUCell(4), 2), "expected a recurrent layer"),
        (
            lambda *_: RecurrentStack(keras.layers.Bidirectional(GRU(4)), 2),
            "pass the layer in it, and bidirectional=True",
        ),
        (lambda *_: rnnpipe.layers.LearnedState(4), "a list of positive sizes, got 4"),
        (lambda *_: Bridge(4), "a list of positive sizes, got 4"),
        (lambda *_: AttentionDecoder("many", 4, GRUCell(4), AdditiveAttention(3)), "vocabulary"),
        (lambda *_: AttentionDecoder(9, "four", GRUCell(4), AdditiveAttention(3)), "an embedding"),
        (lambda *_: AdditiveAttention("three"), "at least 1 unit"),
        (lambda *_: WordDropout("half"), "a rate from 0"),
        (lambda *_: Zoneout(LSTMCell(4), "half"), "a rate in"),
    ],
)
def test_the_kind_of_an_argument_is_checked_first(mistake, message):
    state = ops.zeros((2, 3))
    with pytest.raises(UserError, match=message):
        mistake(lambda tokens, state: (ops.one_hot(tokens, 6), state), state)
