"""When cuDNN is taken, by a fake list of devices, and what it is given to read."""

from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.layers import GRU, LSTM, VanillaRNN
from rnnpipe.layers.kernels import devices
from rnnpipe.layers.recurrent import cudnn
from tests.layers.comparing import all_close, built

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3
MASKS = {
    "right": np.arange(TIME) < np.array([[5], [3], [1]]),
    "left": np.arange(TIME) >= np.array([[0], [3], [4]]),
    "holes": np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 0]], bool),
    "empty row": np.arange(TIME) < np.array([[5], [0], [2]]),
}


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(devices, "_tensorflow", lambda: "gpu")


@pytest.fixture
def taken(monkeypatch, gpu):
    """A stand-in for Keras' way into cuDNN: what it was given; it computes as cuDNN does."""
    calls = []

    def fake(kind):
        def run(sequences, *arguments, kernel, recurrent_kernel, bias, **options):
            *states, mask = arguments
            calls.append(None if mask is None else np.array(mask))
            layer = kind(
                recurrent_kernel.shape[0],
                return_sequences=options["return_sequences"],
                return_state=True,
                go_backwards=options["go_backwards"],
                zero_output_for_mask=True,
                use_cudnn=False,
            )
            built(layer, [w.numpy() for w in (kernel, recurrent_kernel, bias)], FEATURES)
            outputs, *last = layer(sequences, initial_state=states, mask=mask)
            all_outputs = outputs if options["return_sequences"] else outputs[:, None]
            return last[0], all_outputs, last

        return run

    monkeypatch.setattr("keras.src.backend.lstm", fake(keras.layers.LSTM))
    monkeypatch.setattr("keras.src.backend.gru", fake(keras.layers.GRU))
    return calls


def twins(ours, theirs, random, **options):
    original = theirs(UNITS, return_state=True, **options)
    original.build((None, None, FEATURES))
    original.set_weights([random.normal(size=w.shape) for w in original.weights])
    layer = ours(UNITS, return_state=True, **options)
    original.use_cudnn = False
    return built(layer, original.get_weights(), FEATURES), original


every_layer = pytest.mark.parametrize(
    ("ours", "theirs"), [(LSTM, keras.layers.LSTM), (GRU, keras.layers.GRU)]
)


@every_layer
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ],
    ids=" ".join,
)
def test_cudnn_is_used_with_any_mask(random, taken, ours, theirs, mask, options):
    layer, original = twins(ours, theirs, random, **options)
    call: dict[str, Any] = {
        "mask": MASKS[mask],
        "initial_state": list(random.normal(size=(2, BATCH, UNITS))),
    }
    call["initial_state"] = call["initial_state"][: len(layer.state_size)]
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    all_close(layer(x, **call), original(x, **call))
    (given,) = taken
    assert np.all(given[:, 0]), "cuDNN takes no empty sequence"
    assert np.all(given[:, :-1] >= given[:, 1:]), "cuDNN takes lengths only"


@every_layer
def test_cudnn_is_used_without_a_mask(random, taken, ours, theirs):
    layer, original = twins(ours, theirs, random, dropout=0.2)
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    all_close(layer(x), original(x))
    assert taken == [None]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"activation": "relu"}, "its activation is not tanh"),
        ({"recurrent_activation": "hard_sigmoid"}, "its recurrent activation is not sigmoid"),
        ({"use_bias": False}, "it has no bias"),
        ({"recurrent_dropout": 0.1}, "it has recurrent dropout"),
        ({"unroll": True, "use_cudnn": True}, "it is unrolled"),
        ({"reset_after": False}, "it resets before the product"),
    ],
)
def test_obstacles_to_cudnn_warn_and_keep_the_results(random, gpu, options, reason):
    layer, original = twins(GRU, keras.layers.GRU, random, **options)
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    with pytest.warns(UserWarning, match=rf"GRU 'gru.*' runs without cuDNN.*: {reason}\. Set use"):
        found = layer(x)
    all_close(found, original(x))


def test_masks_are_an_obstacle_on_other_backends(random, monkeypatch, gpu):
    layer = LSTM(UNITS)
    layer.build((None, None, FEATURES))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(devices, "_jax", lambda: "gpu")
    obstacle = cudnn.cudnn_obstacle(layer, MASKS["right"])
    assert obstacle == "Keras hands no masks to cuDNN on this backend"
    assert cudnn.cudnn_obstacle(layer, None) is None


def test_requested_cudnn_warns_on_a_cpu(random):
    layer, original = twins(LSTM, keras.layers.LSTM, random, use_cudnn=True)
    x = random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    with pytest.warns(UserWarning, match="there is no GPU"):
        found = layer(x)
    all_close(found, original(x))


def test_an_obstacle_changes_no_option(random):
    layer, _ = twins(LSTM, keras.layers.LSTM, random, use_cudnn=True)
    with pytest.warns(UserWarning, match="there is no GPU"):
        layer(random.normal(size=(BATCH, TIME, FEATURES)).astype("float32"))
    assert layer.use_cudnn is True


def test_layers_with_other_options_never_run_on_cudnn(gpu):
    assert not cudnn.wants_cudnn(VanillaRNN(UNITS))
    assert not cudnn.wants_cudnn(LSTM(UNITS, activation="relu", use_cudnn=False))
    assert cudnn.wants_cudnn(LSTM(UNITS))
