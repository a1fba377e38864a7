"""Decoders in models: trained, saved, loaded, exported, on every backend."""

import keras
import numpy as np
import pytest

from rnnpipe.layers import GRU, AdditiveAttention, AttentionDecoder, Bridge, GRUCell, LSTMCell
from tests.layers.comparing import all_close, close

VOCAB = 9

TRAIN = """
import sys, numpy, keras, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
given = numpy.load(sys.argv[1] + "/data.npz")
inputs, labels = [given["source"], given["target"]], given["labels"]
outputs = model.predict(inputs, verbose=0)
trained = keras.Model(model.inputs, model.outputs[0])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
trained.compile(keras.optimizers.SGD(0.1), loss)
trained.fit(inputs, labels, batch_size=2, epochs=2, shuffle=False, verbose=0)
decoder = next(l for l in model.layers if isinstance(l, rnnpipe.layers.AttentionDecoder))
drawn = decoder(labels, numpy.zeros((3, 2, 8), "float32"), sampling_rate=0.5, training=True)[0]
assert numpy.isfinite(keras.ops.convert_to_numpy(drawn)).all()
numpy.savez(sys.argv[1] + "/" + sys.argv[2] + ".npz", *outputs, *trained.get_weights())
"""


def build(**options):
    """A bidirectional encoder that shares its words, a bridge and a decoder of two cells."""
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    embedding = keras.layers.Embedding(VOCAB, 5, mask_zero=True)
    encoder = keras.layers.Bidirectional(GRU(4, return_sequences=True, return_state=True))
    memory, *states = encoder(embedding(source))
    decoder = AttentionDecoder(
        VOCAB, embedding, [LSTMCell(6), GRUCell(7)], AdditiveAttention(6, 2), **options
    )
    states = Bridge(decoder.state_sizes)(states)
    return keras.Model([source, target], decoder(target, memory, initial_state=states)), decoder


@pytest.fixture
def data():
    source = np.array([[3, 1, 4, 1, 5], [2, 6, 5, 0, 0], [5, 3, 0, 0, 0]], "int32")
    target = np.array([[2, 4, 6, 8], [2, 5, 0, 0], [2, 7, 1, 0]], "int32")
    labels = np.array([[4, 6, 8, 3], [5, 3, 0, 0], [7, 1, 3, 0]], "int32")
    return {"source": source, "target": target, "labels": labels}


def test_shapes_are_known_without_data():
    model, _ = build()
    assert [output.shape for output in model.outputs] == [
        (None, None, VOCAB),
        (None, None, 2, None),
    ]


def test_mask_of_the_encoder_is_taken_and_that_of_the_words_passed_on(data):
    model, _ = build()
    logits, alignments = model([data["source"], data["target"]])
    short = model([data["source"][2:, :2], data["target"][2:, :3]])
    close(logits[2:, :3], short[0])
    close(alignments[2:, :3, :, :2], short[1])
    assert not np.any(alignments[2, :, :, 2:])
    close(logits._keras_mask, data["target"] > 0)


@pytest.mark.parametrize("fast", [True, False])
def test_one_batch_is_memorised(data, fast):
    keras.utils.set_random_seed(1)
    tokens, memory = keras.Input((4,), dtype="int32"), keras.Input((5, 3))
    cells = [GRUCell(24)] if fast else [GRUCell(24), GRUCell(24)]
    decoder = AttentionDecoder(VOCAB, 16, cells, AdditiveAttention(16), tie_weights=not fast)
    model = keras.Model([tokens, memory], decoder(tokens, memory)[0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    given = [data["target"], np.random.default_rng(1).normal(size=(3, 5, 3))]
    history = model.fit(given, data["labels"], epochs=60, verbose=0).history["loss"]
    assert abs(history[0] - np.log(VOCAB)) < 0.3
    assert history[-1] < 0.05


def test_saved_models_load_in_another_process(data, predict_elsewhere):
    model, _ = build(dropout=0.1, sampling_rate=0.1, tie_weights=True, seed=2)
    inputs = [data["source"], data["target"]]
    all_close(predict_elsewhere(model, inputs), model(inputs))


def test_saved_models_share_their_embedding(tmp_path):
    model, _ = build(tie_weights=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    decoder = loaded.layers[-1]
    assert any(layer is decoder.embedding for layer in loaded.layers)


def test_config_makes_the_same_decoder():
    _, decoder = build(architecture="bahdanau", input_feeding=False, output="maxout", output_size=8)
    config = decoder.get_config()
    assert AttentionDecoder.from_config(decoder.get_config()).get_config() == config


def test_exported_models_run_without_this_package(data, tmp_path, other_process):
    model, _ = build()
    model.export(tmp_path / "saved", format="tf_saved_model", verbose=False)
    np.savez(tmp_path / "data.npz", **data)
    other_process(
        "import sys, numpy, tensorflow\n"
        "model = tensorflow.saved_model.load(sys.argv[1] + '/saved')\n"
        "given = numpy.load(sys.argv[1] + '/data.npz')\n"
        "found = model.serve([given['source'], given['target']])\n"
        "numpy.savez(sys.argv[1] + '/found.npz', *found)\n"
        "assert 'rnnpipe' not in sys.modules\n",
        tmp_path,
        serving=True,
    )
    all_close(np.load(tmp_path / "found.npz").values(), model([data["source"], data["target"]]))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_learns_the_same_on_every_backend(tmp_path, data, backend, other_process):
    pytest.importorskip(backend)
    model, _ = build()
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", **data)
    for name in ("tensorflow", backend):
        other_process(TRAIN, tmp_path, name, backend=name)
    found, expected = (np.load(tmp_path / f"{name}.npz") for name in (backend, "tensorflow"))
    all_close(found.values(), expected.values())
