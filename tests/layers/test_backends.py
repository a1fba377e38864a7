"""The layers compute and learn the same on every backend, and work in an exported model."""

import keras
import numpy as np
import onnxruntime
import pytest

from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    LayerNormGRUCell,
    LearnedState,
    PeepholeLSTMCell,
    RecurrentStack,
    VanillaRNN,
    Zoneout,
)
from tests.layers.comparing import all_close, close

BATCH, TIME, VOCAB = 3, 5, 7

TRAIN = """
import sys, numpy, keras, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
given = numpy.load(sys.argv[1] + "/data.npz")
outputs = model.predict([given["tokens"], given["readable"]], verbose=0)
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit([given["tokens"], given["readable"]], given["y"], batch_size=3, epochs=2, verbose=0)
numpy.savez(sys.argv[1] + "/" + sys.argv[2] + ".npz", outputs, *model.get_weights())
"""


@pytest.fixture
def model():
    """Masked tokens through layers and cells of every kind, then attention over what they say."""
    # Weights by chance may leave 3 units that hardly differ, which normalising blows up.
    keras.utils.set_random_seed(5)
    tokens = keras.Input((TIME,), dtype="int32")
    readable = keras.Input((TIME,), dtype="bool")
    sequence = keras.layers.Embedding(VOCAB, 4, mask_zero=True)(tokens)
    for layer in (LSTM, GRU, VanillaRNN):
        sequence = keras.layers.Bidirectional(layer(3, return_sequences=True))(sequence)
    states = LearnedState([3])(sequence)
    stack = RecurrentStack(
        keras.layers.RNN(LayerNormGRUCell(3), return_sequences=True), 2, connection="highway"
    )
    sequence = Zoneout(PeepholeLSTMCell(3), rate=0.0, return_sequences=True)(stack(sequence))
    sequence = GRU(3, return_sequences=True)(sequence, initial_state=states, mask=readable)
    query = LSTM(3, go_backwards=True)(sequence)
    given, _ = AdditiveAttention(4, glimpses=2)(query, sequence, mask=readable)
    carried, _ = AdditiveAttention(4)(query, sequence)
    context = keras.layers.Concatenate()([given, carried])
    return keras.Model([tokens, readable], keras.layers.Dense(2)(context))


@pytest.fixture
def data(random):
    tokens = np.array([[3, 1, 4, 1, 5], [2, 6, 5, 0, 0], [0, 0, 0, 0, 0]], "int32")
    return {"tokens": tokens, "readable": tokens > 0, "y": random.normal(size=(BATCH, 2))}


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_learns_the_same_on_every_backend(tmp_path, model, data, backend, other_process):
    pytest.importorskip(backend)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", **data)
    for name in ("tensorflow", backend):
        other_process(TRAIN, tmp_path, name, backend=name)
    found, expected = (np.load(tmp_path / f"{name}.npz") for name in (backend, "tensorflow"))
    all_close(found.values(), expected.values())


def test_exported_models_run_without_this_package(tmp_path, model, data, other_process):
    model.export(tmp_path / "saved", format="tf_saved_model", verbose=False)
    np.savez(tmp_path / "data.npz", **data)
    other_process(
        "import sys, numpy, tensorflow\n"
        "model = tensorflow.saved_model.load(sys.argv[1] + '/saved')\n"
        "given = numpy.load(sys.argv[1] + '/data.npz')\n"
        "outputs = model.serve([given['tokens'], given['readable']])\n"
        "numpy.save(sys.argv[1] + '/outputs.npy', outputs)\n"
        "assert 'rnnpipe' not in sys.modules\n",
        tmp_path,
        serving=True,
    )
    inputs = [data["tokens"], data["readable"]]
    close(model(inputs), np.load(tmp_path / "outputs.npy"))


ONNX = """
import sys, keras, numpy, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
model([numpy.ones((1, 5), each.dtype) for each in model.inputs])  # Keras asks for one call
model.export(sys.argv[1] + "/model.onnx", format="onnx", verbose=False)
"""


def onnx_outputs(model, inputs, tmp_path, other_process):
    """What onnxruntime says of a model that was exported in a process of its own."""
    model.save(tmp_path / "model.keras")
    other_process(ONNX, tmp_path)  # tf2onnx warns of its own age
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [given.name for given in session.get_inputs()]
    return [session.run(None, dict(zip(names, each, strict=True)))[0] for each in inputs]


def test_onnx_has_the_same_outputs(tmp_path, model, data, other_process):
    inputs = [data["tokens"], data["readable"]]
    (found,) = onnx_outputs(model, [inputs], tmp_path, other_process)
    close(model(inputs), found)


def test_onnx_takes_sequences_of_any_length(tmp_path, random, other_process):
    tokens = keras.Input((None,), dtype="int32")
    sequence = keras.layers.Embedding(VOCAB, 4, mask_zero=True)(tokens)
    sequence = keras.layers.Bidirectional(LSTM(3, return_sequences=True))(sequence)
    model = keras.Model(tokens, GRU(2, return_sequences=True)(sequence))
    inputs = [random.integers(0, VOCAB, (2, time)).astype("int32") for time in (4, 9)]
    found = onnx_outputs(model, [[each] for each in inputs], tmp_path, other_process)
    for tokens, outputs in zip(inputs, found, strict=True):
        close(model(tokens), outputs)
