"""Decoders with quantised weights, and decoders in ONNX."""

import keras
import numpy as np
import onnxruntime
import pytest
from keras import ops

from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
from tests.layers.comparing import all_close


@pytest.mark.parametrize(
    "options", [{}, {"tie_weights": True}, {"output": "maxout"}, {"architecture": "bahdanau"}]
)
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_quantised_weights_are_read_through_their_layers(options):
    words, memory = keras.Input((None,), dtype="int32"), keras.Input((None, 16))
    decoder = AttentionDecoder(30, 16, GRUCell(16), AdditiveAttention(16), **options)
    model = keras.Model([words, memory], decoder(words, memory)[0])
    random = np.random.default_rng(5)
    inputs = [random.integers(1, 30, (2, 5)), random.normal(size=(2, 6, 16)).astype("float32")]
    expected = np.asarray(model(inputs))
    model.quantize("int8")
    found = np.asarray(model(inputs))
    assert 0 < np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
    step, state = decoder.begin(inputs[1])
    logits, _, _ = step(ops.convert_to_tensor(inputs[0][:, 0]), state)
    assert np.abs(logits - expected[:, 0]).max() < 0.05 * np.abs(expected).max()


ONNX = """
import sys, keras, numpy
from rnnpipe.layers import *
t, m = keras.Input((None,), dtype="int32"), keras.Input((None, 4))
outputs = []
for options in ({}, {"architecture": "bahdanau", "output": "maxout"}, {"tie_weights": True}):
    for glimpses in (1, 2):
        attention = AdditiveAttention(4, glimpses)
        outputs += AttentionDecoder(12, 8, GRUCell(8), attention, **options)(t, m)
outputs.append(AttentionDecoder(12, 8, [LSTMCell(8)] * 1, GeneralAttention())(t, m)[0])
outputs.append(MaxPooling()(RecurrentStack(LSTM(3, return_sequences=True), 2)(m))[0])
model = keras.Model([t, m], outputs)
arrays = numpy.load(sys.argv[1] + "/data.npz")
expected = model([arrays["words"], arrays["memory"]])
numpy.savez(sys.argv[1] + "/expected.npz", *expected)
model.export(sys.argv[1] + "/model.onnx", format="onnx", verbose=False)
"""


def test_exported_decoders_take_lengths_that_vary(tmp_path, other_process):
    random = np.random.default_rng(4)
    words = random.integers(0, 12, (3, 5)).astype("int32")
    memory = random.normal(size=(3, 6, 4)).astype("float32")
    np.savez(tmp_path / "data.npz", words=words, memory=memory)
    other_process(ONNX, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [given.name for given in session.get_inputs()]
    found = session.run(None, dict(zip(names, [words, memory], strict=True)))
    all_close(found, np.load(tmp_path / "expected.npz").values())
