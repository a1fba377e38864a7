"""The recorded gates are those of the step equations."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM
from tests.layers.comparing import close, filled

TIME, FEATURES, UNITS = 5, 4, 3


@pytest.mark.parametrize("backwards", [False, True])
def test_lstm_gates_rebuild_its_outputs(random, backwards):
    options = {"return_sequences": True, "go_backwards": backwards, "dtype": "float64"}
    layer = filled(LSTM(UNITS, **options), random, FEATURES)
    x = random.normal(size=(2, TIME, FEATURES))
    gates = {name: np.array(gate) for name, gate in layer.gates(x).items()}
    c, outputs = np.zeros((2, UNITS)), []
    for t in list(range(TIME))[:: -1 if backwards else 1]:
        c = gates["forget"][:, t] * c + gates["input"][:, t] * gates["candidate"][:, t]
        outputs.append(gates["output"][:, t] * np.tanh(c))
    close(layer(x), np.stack(outputs, axis=1), 1e-12)


def test_gru_gates_rebuild_its_outputs(random):
    layer = filled(GRU(UNITS, return_sequences=True, dtype="float64"), random, FEATURES)
    x = random.normal(size=(2, TIME, FEATURES))
    h = random.normal(size=(2, UNITS))
    gates = {name: np.array(gate) for name, gate in layer.gates(x, initial_state=[h]).items()}
    outputs = layer(x, initial_state=[h])
    for t in range(TIME):
        h = gates["update"][:, t] * h + (1 - gates["update"][:, t]) * gates["candidate"][:, t]
        close(outputs[:, t], h, 1e-12)
    assert np.all((gates["reset"] > 0) & (gates["reset"] < 1))


def test_gates_are_zero_where_masked(random):
    layer = filled(LSTM(UNITS), random, FEATURES)
    mask = np.arange(TIME)[None] < 3
    gates = layer.gates(random.normal(size=(1, TIME, FEATURES)), mask=mask)
    assert not any(np.any(gate[:, 3:]) for gate in gates.values())
    assert all(np.all(gate[:, :3]) for gate in gates.values())


def test_gates_of_a_gru_that_resets_before(random):
    layer = filled(GRU(UNITS, reset_after=False, name="reader"), random, FEATURES)
    with pytest.raises(UserError, match=r"GRU 'reader': expected reset_after=True"):
        layer.gates(np.zeros((1, TIME, FEATURES)))


def test_gates_of_a_stateful_layer_start_from_its_states(random):
    x = random.normal(size=(2, TIME, FEATURES)).astype("float32")
    layer = GRU(UNITS, stateful=True, return_sequences=True)
    layer(x)
    h, gates = layer.states[0].numpy(), layer.gates(x)
    update, candidate = (np.asarray(gates[name]) for name in ("update", "candidate"))
    h = update[:, 0] * h + (1 - update[:, 0]) * candidate[:, 0]
    close(layer(x)[:, 0], h)
