"""From features to the CTC loss: the same on every backend and in graphs of any size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import GRU, ConvolutionalSubsampling, RecurrentStack, ctc_loss
from tests.layers.comparing import all_close

FREQUENCIES, VOCAB = 5, 4

COMPUTE = """
import sys, numpy, keras, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
data = dict(numpy.load(sys.argv[1] + "/data.npz"))
logits = model([data["features"], data["mask"]])
loss = rnnpipe.layers.ctc_loss(data["targets"], logits, data["counts"], data["frames"])
found = map(keras.ops.convert_to_numpy, (logits, *loss))
numpy.savez(sys.argv[1] + "/found.npz", *found)
"""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    features, mask = keras.Input((None, FREQUENCIES)), keras.Input((None,), dtype="bool")
    hidden = ConvolutionalSubsampling(2, depth=1)(features, mask=mask)
    hidden = RecurrentStack(GRU(3, return_sequences=True), 2, time_reduction=2)(hidden)
    return keras.Model([features, mask], keras.layers.Dense(VOCAB)(hidden))


@pytest.fixture(scope="module")
def data():
    lengths = np.array([21, 12, 3])
    return {
        "features": np.random.default_rng(5).normal(size=(3, 21, FREQUENCIES)).astype("float32"),
        "mask": np.arange(21) < lengths[:, None],
        "targets": np.array([[1, 2, 2], [3, 0, 0], [1, 2, 0]], "int32"),
        "counts": np.array([3, 1, 2], "int32"),
        "frames": -(-lengths // 4).astype("int32"),  # the last one has too few
    }


def compute(model, data):
    logits = model([data["features"], data["mask"]])
    loss = ctc_loss(data["targets"], logits, data["counts"], data["frames"])
    return logits, *loss


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_losses_are_the_same_on_every_backend(tmp_path, model, data, backend, other_process):
    pytest.importorskip(backend)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", **data)
    other_process(COMPUTE, tmp_path, backend=backend)
    found = np.load(tmp_path / "found.npz")
    all_close(found.values(), [np.asarray(part) for part in compute(model, data)])
    assert found["arr_2"].tolist() == [True, True, False]


def test_graphs_of_any_size_have_the_same_losses(model, data):
    signature = {
        name: tf.TensorSpec([None] * min(array.ndim, 2) + list(array.shape[2:]), array.dtype)
        for name, array in data.items()
    }
    compiled = tf.function(lambda data: compute(model, data), [signature])
    whole = compute(model, data)
    all_close(compiled(data), [np.asarray(part) for part in whole])
    short = {
        name: array[1:2, :12] if array.ndim > 1 else array[1:2] for name, array in data.items()
    }
    losses, feasible = compiled(short)[1:]
    np.testing.assert_allclose(losses, whole[1][1:2], rtol=1e-5)
    assert np.all(feasible)
