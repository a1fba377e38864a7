"""Zoneout against its equation."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    GRUCell,
    HighwayLSTMCell,
    LSTMCell,
    ProjectionLSTMCell,
    RecurrentStack,
    Zoneout,
)
from tests.layers.comparing import close

BATCH, TIME, FEATURES, UNITS = 2, 6, 3, 4


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def filled(layer, random):
    layer.build((None, None, FEATURES))
    weights = [w for w in layer.weights if w.trainable]
    for weight in weights:
        weight.assign(random.normal(size=weight.shape))
    return layer


def test_inference_takes_the_mean(random, x):
    rates = (0.2, 0.6)
    layer = filled(Zoneout(LSTMCell(UNITS), rates, return_sequences=True), random)
    states, expected = [np.zeros((BATCH, UNITS), "float32")] * 2, []
    for t in range(TIME):
        _, new = layer.cell(x[:, t], states)
        states = [
            rate * old + (1 - rate) * np.array(n)
            for rate, old, n in zip(rates, states, new, strict=True)
        ]
        expected.append(states[0])
    close(layer(x), np.stack(expected, axis=1))


def test_training_keeps_units_of_the_previous_state(random, x):
    layer = filled(Zoneout(GRUCell(UNITS), 0.5, seed=1, return_sequences=True), random)
    outputs = np.array(layer(x, training=True))
    before = np.concatenate([np.zeros((BATCH, 1, UNITS), "float32"), outputs[:, :-1]], axis=1)
    kept = outputs == before
    assert 0.2 < kept.mean() < 0.8
    for t in range(TIME):
        stepped, _ = layer.cell(x[:, t], [before[:, t]])
        close(outputs[:, t][~kept[:, t]], np.array(stepped)[~kept[:, t]])


def test_rate_zero_is_no_zoneout(random, x):
    layer = filled(Zoneout(LSTMCell(UNITS), 0.0), random)
    plain = keras.layers.RNN(layer.cell)
    close(layer(x, training=True), plain(x))


def test_padding_changes_nothing(random, x):
    layer = filled(Zoneout(LSTMCell(UNITS), 0.3), random)
    mask = np.tile(np.arange(TIME) < 4, (BATCH, 1))
    close(layer(x, mask=mask), layer(x[:, :4]))


def test_trains_in_a_stack_and_loads(random, x, predict_elsewhere):
    inputs = keras.Input((None, FEATURES))
    stack = RecurrentStack(Zoneout(GRUCell(UNITS), 0.2, seed=3), 2, bidirectional=True)
    model = keras.Model(inputs, stack(inputs))
    model.compile("sgd", "mse")
    model.fit(x, random.normal(size=(BATCH, 2 * UNITS)), verbose=0)
    (found,) = predict_elsewhere(model, [x])
    close(model(x), found)


@pytest.mark.parametrize("rate", [[0.1], 1.0, [0.1, -0.2]])
def test_wrong_rates_are_refused(rate):
    with pytest.raises(UserError, match=r"expected a rate in \[0, 1\), or one for each of 2 st"):
        Zoneout(LSTMCell(UNITS), rate)


def test_zoneout_of_any_cells_gives_their_output(x):
    for cell in (
        HighwayLSTMCell(UNITS, depth=3),
        [LSTMCell(UNITS), GRUCell(3)],
        ProjectionLSTMCell(UNITS, 2),
    ):
        layer = Zoneout(cell, 0.0, return_sequences=True)
        close(layer(x), keras.layers.RNN(layer.cell, return_sequences=True)(x))


class Added(keras.layers.Layer):
    state_size = 4

    def call(self, inputs, states):
        return inputs[:, :4] + states[0], [inputs[:, :4] * 2]


def test_zoneout_refuses_a_cell_whose_output_is_no_state():
    with pytest.raises(UserError, match="a cell whose output is one of its states"):
        Zoneout(Added(), 0.1)(np.ones((2, 3, 5), "float32"))
