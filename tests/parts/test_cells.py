"""Every cell, in recurrences and decoders, with every option of theirs."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import (
    Att2InOptions,
    CellOptions,
    GRUOptions,
    LSTMOptions,
    ProjectionLSTMOptions,
    VanillaRNNOptions,
)
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.recurrence import PyramidalRecurrenceOptions, RecurrenceOptions
from tests.parts.common import change_numbers, check_round_trip

KINDS: dict[str, Any] = CellOptions.kinds.load()
SEQUENTIAL = [kind for kind, options in KINDS.items() if not options.reads_context]
WITH_FORGET_BIAS = [k for k, o in KINDS.items() if "forget_bias" in o.__dataclass_fields__]
WITH_DROPOUT = [k for k, o in KINDS.items() if "recurrent_dropout" in o.__dataclass_fields__]
X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


def small(kind):
    options = {"projection": 2} if kind == "projection_lstm" else {}
    return KINDS[kind](units=4, **options)


def test_kinds_have_the_options_of_their_lists():
    assert set(KINDS) - set(SEQUENTIAL) == {"att2in"}
    assert set(WITH_DROPOUT) == {"lstm", "gru", "vanilla"}
    assert {"lstm", "layer_norm_lstm", "peephole_lstm"} <= set(WITH_FORGET_BIAS)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_yaml_and_pickling(kind):
    check_round_trip(CellOptions, small(kind))
    check_round_trip(CellOptions, KINDS[kind](**change_numbers(KINDS[kind]())))


@pytest.mark.parametrize("kind", SEQUENTIAL)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_cell_makes_a_recurrence(kind, bidirectional):
    options = RecurrenceOptions(
        cell=small(kind),
        depth=2,
        bidirectional=bidirectional,
        connection="highway",
        dropout=0.1,
        learned_state=True,
    )
    stack = options.make()
    outputs, *states = stack(X, mask=MASK)
    width = options.cell.output_size * (2 if bidirectional else 1)
    assert tuple(outputs.shape) == (2, 5, width)
    assert len(states) == len(stack.first_states.sizes)
    alone = stack(X[1:, :3])[1:]
    for state, expected in zip(states, alone, strict=True):
        np.testing.assert_allclose(state[1:], expected, atol=1e-5)


@pytest.mark.parametrize("kind", SEQUENTIAL)
def test_zoneout_keeps_states_in_training(kind):
    keras.utils.set_random_seed(1)
    stack = RecurrenceOptions(cell=small(kind), zoneout=0.5).make(return_state=False)
    trained, expected = stack(X, training=True), stack(X)
    assert trained.shape == expected.shape
    assert np.abs(trained - expected).max() > 1e-3
    np.testing.assert_array_equal(expected, stack(X))


@pytest.mark.parametrize("kind", WITH_DROPOUT)
def test_recurrent_dropout_acts_in_training(kind):
    options = RecurrenceOptions(cell=KINDS[kind](units=4, recurrent_dropout=0.5))
    stack = options.make(return_state=False)
    assert np.abs(stack(X, training=True) - stack(X)).max() > 1e-3
    with pytest.raises(UserError, match=r"cell.recurrent_dropout: expected 0 with zoneout"):
        RecurrenceOptions(cell=options.cell, zoneout=0.1)


@pytest.mark.parametrize("kind", WITH_DROPOUT)
def test_weight_drop_acts_in_the_training_of_layers(kind):
    cell = KINDS[kind](units=4, weight_drop=0.5)
    stack = RecurrenceOptions(cell=cell).make(return_state=False)
    assert np.abs(stack(X, training=True) - stack(X)).max() > 1e-3
    with pytest.raises(UserError, match=r"cell.weight_drop: expected 0 with zoneout, got 0.5"):
        RecurrenceOptions(cell=cell, zoneout=0.1)
    with pytest.raises(UserError, match=r"cell.weight_drop: expected 0 where a cell is stepped"):
        cell.make_cell()


def test_variational_dropout_drops_the_same_features_at_all_steps():
    ones = np.ones((3, 6, 32), "float32")
    options = RecurrenceOptions(cell=GRUOptions(units=4), depth=2, dropout=0.5)
    for variational in (False, True):
        changed = replace(options, variational_dropout=variational)
        for layer in (changed.make().dropout, changed.make_dropout(0.5, name="outputs")):
            dropped = np.asarray(layer(ones, training=True))
            assert (dropped == dropped[:, :1]).all() == variational
            assert (dropped[0] != dropped[1]).any()
            np.testing.assert_array_equal(layer(ones, training=False), ones)


@pytest.mark.parametrize("kind", WITH_FORGET_BIAS)
def test_the_forget_bias_is_where_a_bias_starts(kind):
    stack = RecurrenceOptions(cell=KINDS[kind](units=4, forget_bias=2.5)).make()
    stack(X)
    biases = [w.numpy().flatten() for w in stack.weights if w.name == "bias"]
    assert any((bias == 2.5).sum() in (4, 8) for bias in biases)
    plain = RecurrenceOptions(cell=KINDS[kind](units=4)).make()
    plain(X)
    biases = [w.numpy().flatten() for w in plain.weights if w.name == "bias"]
    assert any((bias == 1.0).sum() in (4, 8) for bias in biases)


@pytest.mark.parametrize("connection", [None, "residual", "highway"])
def test_connections_of_layers(connection):
    options = RecurrenceOptions(cell=GRUOptions(units=4), depth=3, connection=connection)
    stack = options.make(return_state=False)
    assert stack.connection == connection
    assert len(stack.gates) == (2 if connection == "highway" else 0)
    assert tuple(stack(X).shape) == (2, 5, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_makes_a_decoder(kind):
    options = DecoderOptions(
        cell=small(kind),
        depth=1,
        attention=AdditiveAttentionOptions(units=3, glimpses=2),
        architecture="bahdanau",
    )
    decoder = options.make(20, 6, memory_features=3)
    logits, alignments = decoder(np.ones((2, 4), "int32"), X, memory_mask=MASK)
    assert tuple(logits.shape) == (2, 4, 20)
    assert tuple(alignments.shape) == (2, 4, 2, 5)
    np.testing.assert_allclose(np.asarray(alignments)[1, :, :, 3:], 0, atol=1e-6)


def test_a_cell_that_reads_a_context_needs_one():
    with pytest.raises(UserError, match=r"cell.kind: expected a cell that reads a sequence alone"):
        RecurrenceOptions(cell=Att2InOptions())
    with pytest.raises(UserError, match=r"cell.kind: expected another kind without bahdanau"):
        DecoderOptions(cell=Att2InOptions(units=4)).make(20, 6, memory_features=3)


def test_a_layer_has_the_class_of_its_cell():
    names = {
        type(options(units=2).make_layer()).__name__
        for options in (LSTMOptions, GRUOptions, VanillaRNNOptions)
    }
    assert names == {"LSTM", "GRU", "VanillaRNN"}
    assert ProjectionLSTMOptions(units=4, projection=3).output_size == 3
    assert GRUOptions(units=4, reset_after=False).make_layer().reset_after is False
    assert (
        VanillaRNNOptions(units=4, activation="relu").make_cell().activation
        is keras.activations.relu
    )


def test_a_pyramid_makes_sequences_shorter():
    options = PyramidalRecurrenceOptions(cell=GRUOptions(units=3), depth=3, time_reduction=2)
    assert options.make()(X)[0].shape[1] == -(-X.shape[1] // options.factor) == 2
    check_round_trip(PyramidalRecurrenceOptions, options)
    with pytest.raises(UserError, match="time_reduction: expected 1 with one layer, where it has"):
        PyramidalRecurrenceOptions(time_reduction=2)
    with pytest.raises(UserError, match="time_reduction: expected 1 with highway connections"):
        PyramidalRecurrenceOptions(depth=2, connection="highway", time_reduction=2)


def test_recurrences_survive_yaml():
    options = RecurrenceOptions(cell=GRUOptions(units=3), depth=2, zoneout=0.25, learned_state=True)
    check_round_trip(RecurrenceOptions, options)
