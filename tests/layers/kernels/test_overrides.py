"""A layer whose cell or methods are replaced computes what they do, and no kernel."""

import keras
import numpy as np
import pytest
from keras import ops

import rnnpipe.layers
from rnnpipe.errors import UserError
from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    GRUCell,
    LSTMCell,
    VanillaRNN,
    VanillaRNNCell,
)
from rnnpipe.layers.decoder import fused
from rnnpipe.layers.recurrent import base
from tests.layers.cases import BATCH, LAYERS, TIME, UNITS, VOCAB, call_case, every_kernel
from tests.layers.comparing import all_close, close


class HalfLSTMCell(LSTMCell):
    def call(self, inputs, states, training=False):
        h, new = super().call(inputs, states, training)
        return h / 2, [h / 2, new[1]]


class HalfGRUCell(GRUCell):
    def call(self, inputs, states, training=False):
        h, _ = super().call(inputs, states, training)
        return h / 2, [h / 2]


class HalfVanillaRNNCell(VanillaRNNCell):
    def call(self, inputs, states, training=False):
        h, _ = super().call(inputs, states, training)
        return h / 2, [h / 2]


class PlainFusedLSTMCell(LSTMCell):
    def _compute_carry_and_output_fused(self, z, c_tm1):
        c, o = super()._compute_carry_and_output_fused(z, c_tm1)
        return c / 2, o


def half_tanh(x):
    return ops.tanh(x) / 2


def replaced(layer, cell):
    layer.cell = cell
    return layer


def patched(layer):
    call = layer.cell.call
    layer.cell.call = lambda inputs, states, training=False: call(inputs / 2, states)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        replaced(LSTM(UNITS), HalfLSTMCell(UNITS)),
        replaced(GRU(UNITS), HalfGRUCell(UNITS)),
        replaced(VanillaRNN(UNITS), HalfVanillaRNNCell(UNITS)),
        replaced(LSTM(UNITS), PlainFusedLSTMCell(UNITS)),
        replaced(LSTM(UNITS), rnnpipe.layers.PeepholeLSTMCell(UNITS)),
        patched(LSTM(UNITS)),
        patched(GRU(UNITS)),
        LSTM(UNITS, activation=half_tanh),
        GRU(UNITS, recurrent_activation="hard_sigmoid"),
        VanillaRNN(UNITS, activation="relu"),
    ],
    ids=lambda layer: f"{layer.name}",
)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_runs_the_cell_that_replaces_its_own(layer, training):
    (x,) = LAYERS["LSTM"].inputs(BATCH, TIME)
    close(layer(x, training=training), keras.layers.RNN(layer.cell)(x))
    if layer.has_own_cell and hasattr(layer, "gates"):
        with pytest.raises(UserError, match="the cell of Keras to record gates"):
            layer.gates(x)


class HalfScores(AdditiveAttention):
    def scores(self, query, keys, state, training):
        return super().scores(query, keys, state, training) / 2


def _half_scores(decoder):
    scores = decoder.cell.attention.scores
    decoder.cell.attention.scores = lambda *arguments: scores(*arguments) / 2


def _half_context(decoder):
    attend = decoder.cell.attend

    def attend_less(*arguments):
        context, *rest = attend(*arguments)
        return context / 2, *rest

    decoder.cell.attend = attend_less


def _relu_readout(decoder):
    decoder.cell.readout.dense.activation = keras.activations.relu


def _half_readout(decoder):
    call = decoder.cell.readout.call
    decoder.cell.readout.call = lambda *arguments: call(*arguments) / 2


@pytest.mark.parametrize("change", [_half_scores, _half_context, _relu_readout, _half_readout])
def test_a_decoder_calls_replaced_methods_of_its_parts(change):
    decoder, inputs, before = call_case("luong")
    change(decoder)
    logits, _ = decoder(*inputs)
    assert np.abs(logits - before[0]).max() > 1e-4
    step, state = decoder.begin(inputs[1])
    for time in range(TIME - 1):
        expected, state, _ = step(ops.convert_to_tensor(inputs[0][:, time]), state)
        close(logits[:, time], expected)


@pytest.mark.parametrize("cell", [HalfGRUCell(UNITS), HalfLSTMCell(UNITS)])
def test_a_decoder_runs_custom_cells_and_attention(cell, monkeypatch):
    decoder = AttentionDecoder(VOCAB, UNITS, cell, AdditiveAttention(3))
    mine = AttentionDecoder(VOCAB, UNITS, GRUCell(UNITS), HalfScores(3))
    inputs = LAYERS["luong"].inputs(BATCH, TIME)
    found = [decoder(*inputs)[0], mine(*inputs)[0]]
    monkeypatch.setattr(fused, "find_decoder_kernel", lambda *_: None)
    all_close(found, [decoder(*inputs)[0], mine(*inputs)[0]])


@every_kernel
def test_kernels_support_the_layers_with_default_options(name, monkeypatch):
    served = []

    def find(recurrence, *_):
        served.append(recurrence)

    monkeypatch.setattr(base, "find_recurrent_kernel", find)
    monkeypatch.setattr(fused, "find_decoder_kernel", find)
    call_case(name)
    assert served
