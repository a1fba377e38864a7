"""Every cell against NumPy, and what holds for all of them."""

from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    Att2InCell,
    ForgetBias,
    HighwayLSTMCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LayerNormVanillaRNNCell,
    PeepholeLSTMCell,
    ProjectionLSTMCell,
    RecurrentHighwayCell,
    RecurrentStack,
)
from tests.layers.cells import oracles
from tests.layers.comparing import built, check_slopes, close, filled, gradients, projected

BATCH, TIME, FEATURES, UNITS = 2, 4, 3, 2
CELLS: dict[Any, Any] = {
    Att2InCell: ({"context": 1}, oracles.att2in),
    PeepholeLSTMCell: ({}, oracles.peephole),
    ProjectionLSTMCell: ({"projection": 3}, oracles.projection),
    LayerNormVanillaRNNCell: ({}, oracles.layer_norm_vanilla),
    LayerNormLSTMCell: ({}, oracles.layer_norm_lstm),
    LayerNormGRUCell: ({}, oracles.layer_norm_gru),
    RecurrentHighwayCell: ({"depth": 3}, oracles.recurrent_highway),
    HighwayLSTMCell: ({"depth": 3}, oracles.highway_lstm),
}
every_cell = pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)


def make(kind, **options):
    return kind(UNITS, **CELLS[kind][0], **options)


def rnn(kind, random, **options):
    layer = keras.layers.RNN(make(kind, dtype="float64"), dtype="float64", **options)
    return filled(layer, random, FEATURES)


@every_cell
def test_equals_the_oracle(random, kind):
    layer = rnn(kind, random, return_sequences=True, return_state=True)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    first = [random.normal(size=(BATCH, size)) for size in layer.state_size]
    outputs, *last = layer(x, initial_state=first)
    weights = layer.get_weights()
    for n in range(BATCH):
        states = [state[n] for state in first]
        for t in range(TIME):
            output, states = CELLS[kind][1](x[n, t], states, *weights)
            close(outputs[n, t], output, 1e-12)
        for found, expected in zip(last, states, strict=True):
            close(found[n], expected, 1e-12)


@every_cell
def test_gradients_equal_finite_differences_of_the_outputs(random, kind):
    layer = rnn(kind, random, return_sequences=True)
    values, x = layer.get_weights(), random.normal(size=(1, 2, FEATURES))
    mask = np.array([[True, True]])

    def loss():
        layer.set_weights(values)
        return float(projected(layer(x, mask=mask)))

    analytic = gradients(layer, x, mask=mask)
    check_slopes(analytic, loss, [*values, x], 1e-6)


@every_cell
def test_padding_changes_nothing(random, kind):
    layer = rnn(kind, random)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    mask = np.tile(np.arange(TIME) < 3, (BATCH, 1))
    close(layer(x, mask=mask), layer(x[:, :3]), 1e-12)


@every_cell
@pytest.mark.parametrize("policy", ["float16", "mixed_bfloat16"])
def test_half_precision_is_supported(random, kind, policy):
    full = filled(keras.layers.RNN(make(kind)), random, FEATURES)
    half = keras.layers.RNN(make(kind, dtype=policy), dtype=policy)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    outputs = built(half, full.get_weights(), FEATURES)(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == half.compute_dtype
    close(keras.ops.cast(outputs, "float32"), full(x), 0.2)


def test_saved_models_load_in_another_process(random, predict_elsewhere):
    inputs = keras.Input((None, FEATURES))
    stack = RecurrentStack(keras.layers.RNN(make(LayerNormGRUCell), return_sequences=True), 2)
    outputs = [keras.layers.RNN(make(kind))(stack(inputs)) for kind in CELLS]
    model = keras.Model(inputs, keras.layers.Concatenate()(outputs))
    x = random.normal(size=(BATCH, TIME, FEATURES))
    (found,) = predict_elsewhere(model, [x])
    close(model(x), found)


@every_cell
def test_config_makes_the_same_cell(kind):
    cell = make(kind)
    assert kind.from_config(cell.get_config()).get_config() == cell.get_config()


@every_cell
def test_wrong_units_are_refused(kind):
    with pytest.raises(UserError, match="expected at least 1 unit, got 0"):
        kind(0, **CELLS[kind][0])


@pytest.mark.parametrize(
    ("make_cell", "message"),
    [
        (lambda: Att2InCell(2, 0), "a context of at least 1, got 0"),
        (lambda: Att2InCell(2, 3).build((None, 3)), "an input of more than 3 features, got 3"),
        (lambda: ProjectionLSTMCell(2, 0), "a projection of at least 1, got 0"),
        (lambda: RecurrentHighwayCell(2, 0), "a depth of at least 1, got 0"),
        (lambda: HighwayLSTMCell(2, 0), "a depth of at least 1, got 0"),
    ],
)
def test_wrong_sizes_are_refused(make_cell, message):
    with pytest.raises(UserError, match=message):
        make_cell()


@pytest.mark.parametrize("kind", [PeepholeLSTMCell, ProjectionLSTMCell, LayerNormLSTMCell])
def test_forget_gates_start_open(kind):
    cell = make(kind, bias_initializer=ForgetBias(3.0))
    cell.build((None, FEATURES))
    assert cell.bias.numpy().tolist() == [0.0] * 2 + [3.0] * 2 + [0.0] * 4


def test_new_recurrent_highways_carry_on():
    cell = make(RecurrentHighwayCell)
    cell.build((None, FEATURES))
    assert cell.bias.numpy().tolist() == [[0.0, 0.0, -2.0, -2.0]] * 3


def test_one_layer_of_a_highway_lstm_is_an_lstm(random):
    layer = filled(keras.layers.RNN(HighwayLSTMCell(UNITS, 1)), random, FEATURES)
    kernel, _, recurrent, bias, *_ = layer.get_weights()
    plain = built(keras.layers.LSTM(UNITS), [kernel, recurrent[0], bias[0]], FEATURES)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    close(layer(x), plain(x))
