"""A stack equals its layers run one by one."""

import gc
import weakref

import keras
import numpy as np
import pytest
from keras.src.saving import serialization_lib

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, LSTMCell, RecurrentStack
from tests.layers.comparing import all_close, close, filled

BATCH, TIME, FEATURES, UNITS = 2, 5, 4, 3
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("connection", [None, "residual", "highway"])
def test_equals_its_layers_one_by_one(random, x, bidirectional, connection):
    layer = GRU(UNITS, return_sequences=True)
    stack = RecurrentStack(layer, 3, bidirectional=bidirectional, connection=connection)
    filled(stack, random, FEATURES)
    expected = x
    for level, single in enumerate(stack.layers):
        said = np.array(single(expected, mask=MASK))
        if level and connection == "residual":
            said = expected + said
        if level and connection == "highway":
            kernel, bias = stack.gates[level - 1].get_weights()
            gate = sigmoid(expected @ kernel + bias)
            said = gate * said + (1 - gate) * expected
        expected = said
    outputs = stack(x, mask=MASK)
    assert outputs.shape[-1] == UNITS * (2 if bidirectional else 1)
    close(outputs, expected)


def test_returns_and_takes_the_states_of_all_layers(random, x):
    stack = filled(
        RecurrentStack(LSTM(UNITS, return_sequences=True, return_state=True), 2), random, FEATURES
    )
    whole, *last = stack(x)
    assert len(last) == 4
    _, *states = stack(x[:, :2])
    rest, *again = stack(x[:, 2:], initial_state=states)
    close(rest, whole[:, 2:])
    all_close(again, last)


@pytest.mark.parametrize("layer", [LSTM(UNITS), keras.layers.RNN(LSTMCell(UNITS))])
def test_any_recurrent_layer_can_be_stacked(random, x, layer):
    stack = filled(RecurrentStack(layer, 2), random, FEATURES)
    lower, upper = stack.layers
    close(stack(x), upper(lower(x)))


def test_dropout_is_between_the_layers_and_only_in_training(random, x):
    layer = LSTM(UNITS, return_sequences=True)
    stack = filled(RecurrentStack(layer, 2, dropout=0.5, seed=1), random, FEATURES)
    single = filled(RecurrentStack(layer, 1, dropout=0.5, seed=1), random, FEATURES)
    assert np.abs(stack(x, training=True) - stack(x)).max() > 1e-3
    close(single(x, training=True), single(x))


def test_a_padded_sequence_has_the_outputs_of_the_sequence_alone(random, x):
    stack = RecurrentStack(LSTM(UNITS), 2, bidirectional=True)
    filled(stack, random, FEATURES)
    close(stack(x, mask=MASK)[1:], stack(x[1:, :3]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_pyramid_joins_outputs_between_its_layers(random, bidirectional):
    layer = GRU(UNITS, return_sequences=True, return_state=True)
    stack = RecurrentStack(layer, 3, bidirectional=bidirectional, time_reduction=2)
    filled(stack, random, FEATURES)
    features = random.normal(size=(BATCH, 7, FEATURES)).astype("float32")
    sequence = features
    for level, single in enumerate(stack.layers):
        if level:
            odd = np.zeros_like(sequence[:, :1])
            even = np.concatenate([sequence, odd], axis=1)[:, : 2 * -(-sequence.shape[1] // 2)]
            sequence = even.reshape(BATCH, even.shape[1] // 2, -1)
        sequence = np.array(single(sequence)[0])
    outputs = stack(features)[0]
    assert outputs.shape == stack.compute_output_shape(features.shape)[0]
    assert outputs.shape[1] == stack.compute_lengths(7) == 2
    close(outputs, sequence)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_of_a_pyramid_changes_nothing(random, bidirectional):
    layer = LSTM(UNITS, return_sequences=True, return_state=True)
    stack = RecurrentStack(layer, 3, bidirectional=bidirectional, time_reduction=2)
    filled(stack, random, FEATURES)
    features = random.normal(size=(2, 11, FEATURES)).astype("float32")
    features[1, 5:] = np.nan
    mask = np.arange(11) < np.array([[11], [5]])
    outputs, *states = stack(features, mask=mask)
    alone, *last = stack(features[1:, :5])
    close(outputs[1:, : alone.shape[1]], alone)
    all_close([state[1:] for state in states], last)
    found = stack.compute_mask(features, mask)[0]
    assert np.asarray(found).tolist() == [[True, True, True], [True, True, False]]


def test_a_stream_through_a_pyramid_equals_the_whole(random):
    layer = LSTM(UNITS, return_sequences=True, return_state=True)
    stack = filled(RecurrentStack(layer, 3, time_reduction=2), random, FEATURES)
    features = random.normal(size=(2, 11, FEATURES)).astype("float32")
    whole, *last = stack(features)
    first, *states = stack(features[:, :8])
    rest, *again = stack(features[:, 8:], initial_state=states)
    close(np.concatenate([first, rest], axis=1), whole)
    all_close(again, last)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_first_states_are_those_that_are_learned(random, x, bidirectional):
    layer = LSTM(UNITS, return_sequences=True, return_state=True)
    options = {"bidirectional": bidirectional}
    stack = filled(RecurrentStack(layer, 2, learned_state=True, **options), random, FEATURES)
    plain = filled(RecurrentStack(layer, 2, **options), random, FEATURES)
    vectors = stack.first_states.get_weights()
    plain.set_weights([w.numpy() for level in stack.layers for w in level.weights])
    states = [np.tile(vector, (BATCH, 1)) for vector in vectors]
    assert len(states) == 4 * (2 if bidirectional else 1)
    all_close(stack(x, mask=MASK), plain(x, mask=MASK, initial_state=states))
    zeros = [np.zeros_like(state) for state in states]
    all_close(stack(x, initial_state=zeros), plain(x))
    assert np.abs(stack(x)[0] - plain(x)[0]).max() > 1e-3


def test_first_states_are_trained(random, x):
    inputs = keras.Input((None, FEATURES))
    stack = RecurrentStack(GRU(UNITS), 2, learned_state=True)
    model = keras.Model(inputs, stack(inputs))
    assert [vector.tolist() for vector in stack.first_states.get_weights()] == [[0.0] * UNITS] * 2
    model.compile("sgd", "mse")
    model.fit(x, np.ones((BATCH, UNITS)), verbose=0)
    assert all(np.all(vector != 0) for vector in stack.first_states.get_weights())


def test_new_highways_pass_their_input_on(x):
    stack = RecurrentStack(GRU(UNITS, return_sequences=True), 2, connection="highway")
    stack(x)
    assert stack.gates[0].get_weights()[1].tolist() == [-1.0] * UNITS


def test_saved_models_load_in_another_process(random, x, predict_elsewhere):
    inputs = keras.Input((None, FEATURES))
    stack = RecurrentStack(
        LSTM(UNITS, return_sequences=True),
        2,
        bidirectional=True,
        dropout=0.1,
        connection="highway",
        learned_state=True,
    )
    model = keras.Model(inputs, stack(inputs))
    stack.first_states.set_weights([random.normal(size=UNITS) for _ in range(8)])
    (found,) = predict_elsewhere(model, [x])
    close(model(x), found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "expected a depth of at least 1, got 0"),
        ({"depth": 2, "connection": "skip"}, "got 'skip'; choose one"),
        ({"depth": 2, "connection": "residual"}, "return_sequences=True for residual connections"),
        ({"depth": 2, "time_reduction": 0}, "expected a time_reduction of at least 1, got 0"),
        ({"depth": 1, "time_reduction": 2}, "a time_reduction of 1 with one layer, got 2; raise"),
        (
            {"depth": 2, "time_reduction": 2, "go_backwards": True},
            "a time_reduction of 1 with go_backwards=True, got 2; reverse",
        ),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        RecurrentStack(LSTM(UNITS), **options)


def test_a_pyramid_has_no_connections():
    layer = LSTM(UNITS, return_sequences=True)
    with pytest.raises(UserError, match="a time_reduction of 1 with a residual connection, got 2"):
        RecurrentStack(layer, 2, connection="residual", time_reduction=2)


def test_wrong_states_are_refused(random, x):
    stack = filled(RecurrentStack(LSTM(UNITS), 2, name="deep"), random, FEATURES)
    with pytest.raises(UserError, match="'deep': expected initial_state of 4 tensors of"):
        stack(x, initial_state=[np.zeros((BATCH, UNITS))] * 3)


def test_a_stack_keeps_all_layers_that_were_serialised(monkeypatch):
    # While it loads, Keras takes a new layer for one that was serialised at the same address.
    serialised = []
    record = serialization_lib.record_object_after_serialization

    def remember(layer, config):
        serialised.append(weakref.ref(layer))
        record(layer, config)

    monkeypatch.setattr(serialization_lib, "record_object_after_serialization", remember)
    config = RecurrentStack(LSTM(2, return_sequences=True), 3, bidirectional=True).get_config()
    serialised.clear()
    stack = RecurrentStack.from_config(config)
    gc.collect()
    assert stack.depth == 3
    assert len(serialised) > 3
    assert all(layer() is not None for layer in serialised)


def test_a_stack_is_a_recurrent_layer_for_wrappers():
    documents = np.random.default_rng(1).normal(size=(2, 3, 5, 4)).astype("float32")
    stack = RecurrentStack(GRU(UNITS), 2)
    found = keras.layers.TimeDistributed(stack)(documents)
    close(found, np.stack([stack(documents[:, i]) for i in range(3)], axis=1))
    both = keras.layers.Bidirectional(RecurrentStack(GRU(UNITS, return_sequences=True), 2))
    x = documents[0]
    found, lower = both(x), both.backward_layer
    forward = lower.layers[1](lower.layers[0](x[:, ::-1]))
    close(found[..., UNITS:], np.asarray(forward)[:, ::-1])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_a_stateful_stack_keeps_and_resets_its_states(x, bidirectional, return_state):
    layer = GRU(UNITS, return_sequences=True, stateful=True, return_state=return_state)
    stack = RecurrentStack(layer, 2, bidirectional=bidirectional)
    mask = np.ones((BATCH, TIME), bool)
    first, again = (np.array(keras.tree.flatten(stack(x, mask=mask))[0]) for _ in range(2))
    assert np.abs(first - again).max() > 1e-4
    stack.reset_state()
    close(keras.tree.flatten(stack(x, mask=mask))[0], first)
    with pytest.raises(UserError, match="first states that are either learned or kept"):
        RecurrentStack(layer, 2, learned_state=True)
