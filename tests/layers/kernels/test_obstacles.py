"""The reasons that layers without a kernel give."""

import keras
import numpy as np
import pytest

from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    DotAttention,
    GRUCell,
    LSTMCell,
    VanillaRNN,
)
from rnnpipe.layers.decoder import fused
from rnnpipe.layers.kernels import devices, explain
from rnnpipe.layers.recurrent import base
from tests.layers.kernels.test_overrides import HalfGRUCell

OBSTACLES = [
    (lambda: LSTM(4, activation="relu"), "its activation is not tanh"),
    (lambda: LSTM(4, recurrent_activation="relu"), "its recurrent activation is not sigmoid"),
    (lambda: VanillaRNN(4, recurrent_dropout=0.1), "it has recurrent dropout"),
    (lambda: VanillaRNN(4, unroll=True), "it is unrolled"),
    (lambda: GRU(4, reset_after=False), "it resets before the product"),
    (lambda: GRU(4, dtype="float16"), "it computes in float16"),
]


@pytest.mark.parametrize(("make", "reason"), OBSTACLES)
def test_layers_say_why_they_have_no_kernel(monkeypatch, make, reason):
    monkeypatch.setattr(base, "find_recurrent_kernel", pytest.fail)
    layer = make()
    layer(np.ones((2, 5, 3), "float32"))
    assert layer.kernel_obstacle() == reason


DECODERS = [
    ({"cells": [GRUCell(4), GRUCell(4)]}, "it has 2 cells"),
    ({"cells": GRUCell(4, activation="relu")}, "its activation is not tanh"),
    ({"cells": LSTMCell(4, dropout=0.1)}, "its cell has dropout"),
    ({"cells": HalfGRUCell(4)}, "its cell is neither the GRU nor the LSTM of Keras"),
    ({"attention": DotAttention()}, "its attention is not additive"),
    ({"attention": AdditiveAttention(4, normalize=True)}, "its attention is normalised"),
]


@pytest.mark.parametrize(("options", "reason"), DECODERS)
def test_decoders_say_why_they_have_no_kernel(monkeypatch, options, reason):
    monkeypatch.setattr(fused, "find_decoder_kernel", pytest.fail)
    given = {"cells": GRUCell(4), "attention": AdditiveAttention(4), **options}
    decoder = AttentionDecoder(9, 5, given["cells"], given["attention"])
    decoder(np.ones((2, 3), "int32"), np.ones((2, 5, 4), "float32"))
    assert decoder.kernel_obstacle() == reason


def test_a_model_is_explained_layer_by_layer(monkeypatch):
    inputs = keras.Input((None, 3))
    both = keras.layers.Bidirectional(LSTM(4, return_sequences=True, name="lower"), name="both")
    upper = keras.layers.Bidirectional(
        GRU(4, return_sequences=True, unroll=True, name="upper"), name="over"
    )
    dense = keras.layers.Dense(2)
    model = keras.Model(inputs, dense(both(inputs)))
    assert set(explain(model).values()) == {"kernel"}
    assert len(explain(model)) == 2
    upper.build((None, 6, 3))
    assert set(explain(upper).values()) == {"it is unrolled"}
    monkeypatch.setattr(devices, "_tensorflow", lambda: "tpu")
    assert set(explain(model).values()) == {"kernels are for CPUs, and the device is a TPU"}
