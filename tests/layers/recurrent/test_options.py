"""The error of a wrong option has the layer, the expectation and the value."""

import inspect

import keras
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, GRUCell, LSTMCell, VanillaRNN, VanillaRNNCell

PAIRS = [
    (LSTM, keras.layers.LSTM),
    (GRU, keras.layers.GRU),
    (VanillaRNN, keras.layers.SimpleRNN),
    (LSTMCell, keras.layers.LSTMCell),
    (GRUCell, keras.layers.GRUCell),
    (VanillaRNNCell, keras.layers.SimpleRNNCell),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_signatures_are_those_of_keras(ours, theirs):
    signature = inspect.signature(ours)
    added = {"weight_drop"} if issubclass(ours, keras.layers.RNN) else set()
    own = [each for each in signature.parameters.values() if each.name not in added]
    assert signature.replace(parameters=own) == inspect.signature(theirs)
    assert {name for name in signature.parameters if name == "weight_drop"} == added
    for name in added:
        assert signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    with pytest.raises(UserError, match=f"{ours.__name__}: expected units, a positive integer, g"):
        ours(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": -2}, "LSTM: expected units, a positive integer, got -2; write e.g. units=256"),
        ({"units": 2.5}, "expected units, a positive integer, got 2.5"),
        ({"units": True}, "expected units, a positive integer, got True"),
        ({"units": 2, "dropout": 1.5}, "expected dropout from 0 to 1, got 1.5"),
        ({"units": 2, "recurrent_dropout": "a"}, "expected recurrent_dropout from 0 to 1, got 'a'"),
        (
            {"units": 2, "weight_drop": -1},
            "LSTM 'lstm.*': expected weight_drop from 0 to 1, got -1",
        ),
        ({"units": 2, "use_cudnn": 3}, 'expected use_cudnn of "auto", True or False, got 3'),
        ({"units": 2, "activation": "tan"}, "expected a known activation, got 'tan'; pass a name"),
        ({"units": 2, "kernel_initializer": "x"}, "expected a known kernel_initializer, got 'x'"),
        ({"units": 2, "bias_regularizer": "x"}, "expected a known bias_regularizer, got 'x'"),
        ({"units": 2, "recurrent_constraint": 1}, "expected a known recurrent_constraint, got 1"),
        ({"units": 2, "dtype": "float99"}, "expected a known dtype, got 'float99'"),
        ({}, r"expected its arguments, got missing.*'units'; see help\(LSTM\)"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        LSTM(**options)


def test_errors_name_the_layer():
    with pytest.raises(UserError, match="GRU 'reader': expected units"):
        GRU(0, name="reader")


def test_options_survive_their_own_config():
    layer = GRU(
        3,
        kernel_regularizer=keras.regularizers.L2(0.1),
        recurrent_constraint="max_norm",
        bias_initializer=keras.initializers.Constant(0.5),
        dtype="mixed_bfloat16",
        weight_drop=0.25,
    )
    assert GRU.from_config(layer.get_config()).get_config() == layer.get_config()


class Scaled(LSTM):
    def __init__(self, units, scale=2.0, **options):
        super().__init__(units, **options)
        self.scale = scale


class Labelled:
    name: str

    def label(self):
        return f"<{self.name}>"


class Mixed(GRU, Labelled):
    pass


def test_subclasses_have_their_own_signature_and_mixins():
    assert Mixed(4, name="mine").label() == "<mine>"
    assert "units" in inspect.signature(Mixed).parameters
    assert list(inspect.signature(Scaled).parameters) == ["units", "scale", "options"]
    assert Scaled(4, 3.0).scale == 3.0
    with pytest.raises(UserError, match="Scaled: expected units, a positive integer, got 0"):
        Scaled(0)
