"""All mechanisms in one model: saved, loaded elsewhere, trained on every backend, exported."""

import keras
import numpy as np
import pytest

from rnnpipe.layers import (
    AdditiveAttention,
    GatedAttention,
    HierarchicalAttention,
    LocationAttention,
)
from tests.layers.attention.mechanisms import BATCH, FEATURES, MASK, MECHANISMS, POSITIONS
from tests.layers.comparing import all_close

QUERY, ROWS, COLUMNS = 7, 2, 3
VARIANTS = {
    "concat",
    "dot",
    "scaled_dot",
    "cumulative_location",
    "sharpened_location",
    "gated",
}  # of another that is tested
NAMES = ("query", "short_query", "memory", "mask", "grid")

TRAIN = """
import sys, numpy, keras, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
data = dict(numpy.load(sys.argv[1] + "/data.npz"))
y = data.pop("y")
outputs = model.predict(data, verbose=0)
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(data, y, batch_size=3, epochs=1, verbose=0)
weights = [weight.numpy() for weight in model.trainable_weights]
numpy.savez(sys.argv[1] + "/" + sys.argv[2] + ".npz", outputs, *weights)
"""


def build_model(random):
    """Contexts of all mechanisms, each of one look."""
    query, short = keras.Input((QUERY,), name="query"), keras.Input((FEATURES,), name="short_query")
    memory = keras.Input((None, FEATURES), name="memory")
    mask = keras.Input((None,), dtype="bool", name="mask")
    grid = keras.Input((None, None, FEATURES), name="grid")
    contexts = [
        mechanism.make()(query if mechanism.query == QUERY else short, memory, mask)[0]
        for name, mechanism in MECHANISMS.items()
        if name not in VARIANTS
    ]
    several = HierarchicalAttention(
        [GatedAttention(LocationAttention(4, filters=2, kernel_size=3)), AdditiveAttention(4)], 5
    )
    context, (looks, _, shares) = several(query, [grid, memory], [None, mask])
    contexts += [context, shares[:, 0], keras.ops.max(looks, axis=(2, 3))]
    model = keras.Model([query, short, memory, mask, grid], keras.ops.concatenate(contexts, -1))
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return model


@pytest.fixture
def model(random):
    return build_model(random)


@pytest.fixture
def data(random, model):
    return {
        "query": random.normal(size=(BATCH, QUERY)).astype("float32"),
        "short_query": random.normal(size=(BATCH, FEATURES)).astype("float32"),
        "memory": random.normal(size=(BATCH, POSITIONS, FEATURES)).astype("float32"),
        "mask": MASK,
        "grid": random.normal(size=(BATCH, ROWS, COLUMNS, FEATURES)).astype("float32"),
        "y": random.normal(size=(BATCH, model.output_shape[-1])).astype("float32"),
    }


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_learns_the_same_on_every_backend(tmp_path, model, data, backend, other_process):
    pytest.importorskip(backend)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", **data)
    for name in ("tensorflow", backend):
        other_process(TRAIN, tmp_path, name, backend=name)
    found, expected = (np.load(tmp_path / f"{name}.npz") for name in (backend, "tensorflow"))
    all_close(found.values(), expected.values(), 1e-4)
    inputs = [data[name] for name in NAMES]
    all_close([model(inputs)], [expected["arr_0"]])


def test_exported_models_run_without_this_package(tmp_path, model, data, other_process):
    model.export(tmp_path / "saved", format="tf_saved_model", verbose=False)
    np.savez(tmp_path / "data.npz", **data)
    other_process(
        "import sys, numpy, tensorflow\n"
        "model = tensorflow.saved_model.load(sys.argv[1] + '/saved')\n"
        "given = numpy.load(sys.argv[1] + '/data.npz')\n"
        f"outputs = model.serve([given[name] for name in {NAMES}])\n"
        "numpy.save(sys.argv[1] + '/outputs.npy', outputs)\n"
        "assert 'rnnpipe' not in sys.modules\n",
        tmp_path,
        serving=True,
    )
    all_close([model([data[name] for name in NAMES])], [np.load(tmp_path / "outputs.npy")])


JAX = """
import keras, numpy
from rnnpipe.layers import *
words, memory = numpy.ones((4, 5), "int32"), numpy.ones((4, 6, 3), "float32")
t, m = keras.Input((None,), dtype="int32"), keras.Input((None, 3))
for attention in (
    AdditiveAttention(3, dropout=0.1),
    MultiHeadAttention(2, 2, dropout=0.1),
    HardAttention(AdditiveAttention(3)),
    MonotonicAttention(AdditiveAttention(3), noise=0.0),
):
    decoder = AttentionDecoder(9, 4, GRUCell(4), attention, sampling_rate=0.5)
    logits = decoder(t, m)[0]
    kind, config = type(attention), attention.get_config()
    read, _ = GlimpseReader(GRUCell(4), kind.from_config(config), steps=2)(m)
    model = keras.Model([t, m], [logits, read])
    model.compile("sgd", [keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mse"])
    before = [numpy.array(weight) for weight in model.weights]
    model.fit([words, memory], [words, numpy.ones((4, 2, 4))], verbose=0)
    assert any(numpy.abs(a - b).max() > 0 for a, b in zip(before, map(numpy.array, model.weights)))
"""


def test_attention_that_draws_is_trained_on_jax(other_process):
    pytest.importorskip("jax")
    other_process(JAX, backend="jax")
