"""A mask that a tensor carries counts on every way to call a layer, beside first states too."""

import keras
import numpy as np
import pytest
from keras import ops

from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    GlimpseReader,
    GRUCell,
    LSTMCell,
    RecurrentStack,
    VanillaRNN,
    Zoneout,
)
from tests.layers.cases import BATCH, TIME, UNITS, VOCAB
from tests.layers.comparing import all_close

SEQUENCES = {"return_sequences": True, "return_state": True}

LAYERS = {
    "LSTM": (lambda: LSTM(UNITS, **SEQUENCES), 2),
    "GRU": (lambda: GRU(UNITS, **SEQUENCES), 1),
    "VanillaRNN": (lambda: VanillaRNN(UNITS, **SEQUENCES), 1),
    "last output": (lambda: GRU(UNITS, go_backwards=True), 1),
    "without a kernel": (lambda: LSTM(UNITS, activation="relu"), 2),
    "Bidirectional": (lambda: keras.layers.Bidirectional(LSTM(UNITS, **SEQUENCES)), 4),
    "RecurrentStack": (lambda: RecurrentStack(LSTM(UNITS, **SEQUENCES), 2), 4),
    "bidirectional stack": (lambda: RecurrentStack(GRU(UNITS), 2, bidirectional=True), 4),
    "Zoneout": (lambda: Zoneout(LSTMCell(UNITS), 0.1, **SEQUENCES), 2),
    "GlimpseReader": (lambda: GlimpseReader(GRUCell(UNITS), AdditiveAttention(3), steps=2), 1),
}


@pytest.fixture
def tokens():
    """Rows of every length, from none to all of the steps."""
    lengths = np.linspace(0, TIME, BATCH).astype(int)
    return np.where(np.arange(TIME) < lengths[:, None], 5, 0)


@pytest.mark.parametrize("name", LAYERS)
def test_a_carried_mask_counts_beside_first_states(name, tokens):
    make, count = LAYERS[name]
    layer, embedding = make(), keras.layers.Embedding(VOCAB, 3, mask_zero=True)
    random = np.random.default_rng(1)
    states = [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(count)]
    carrying = embedding(tokens)
    plain = ops.convert_to_tensor(ops.convert_to_numpy(carrying))
    expected = keras.tree.flatten(layer(plain, mask=tokens != 0, initial_state=states))
    unmasked = keras.tree.flatten(layer(plain, initial_state=states))
    assert max(np.abs(a - b).max() for a, b in zip(expected, unmasked, strict=True)) > 1e-3
    all_close(keras.tree.flatten(layer(carrying, initial_state=states)), expected)

    ids, first = keras.Input((None,), dtype="int32"), [keras.Input((UNITS,)) for _ in states]
    model = keras.Model([ids, first], layer(embedding(ids), initial_state=first))
    all_close(keras.tree.flatten(model.predict([tokens, states], verbose=0)), expected)


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_gates_have_the_mask_that_sequences_carry(kind, tokens):
    layer, embedding = kind(UNITS), keras.layers.Embedding(VOCAB, 3, mask_zero=True)
    carrying = embedding(tokens)
    layer(carrying)
    states = [np.ones((BATCH, UNITS), "float32") for _ in layer.state_size]
    for first in (None, states):
        expected = layer.gates(carrying, initial_state=first, mask=tokens != 0)
        all_close(layer.gates(carrying, initial_state=first).values(), expected.values())


def test_a_decoder_attends_by_the_mask_of_its_memory(tokens):
    decoder = AttentionDecoder(VOCAB, UNITS, GRUCell(UNITS), AdditiveAttention(3))
    memory = keras.layers.Embedding(VOCAB, 3, mask_zero=True)(tokens)
    words, first = np.ones((BATCH, 2), "int32"), [np.ones((BATCH, UNITS), "float32")]
    expected = decoder(words, memory, tokens != 0, first)
    all_close(decoder(words, memory, initial_state=first), expected)
    _, state = decoder.begin(memory, initial_state=first)
    np.testing.assert_array_equal(state[1].mask, tokens != 0)


JAX = """
import keras, numpy
from rnnpipe.layers import *
tokens = numpy.array([[5, 5, 0, 0], [5, 0, 0, 0]])
embedding = keras.layers.Embedding(9, 3, mask_zero=True)
state = numpy.ones((2, 4), "float32")
for layer in (GRU(4), RecurrentStack(GRU(4), 1), Zoneout(GRUCell(4), 0.1)):
    inputs = keras.Input((4,), dtype="int32"), keras.Input((4,))
    model = keras.Model(inputs, layer(embedding(inputs[0]), initial_state=[inputs[1]]))
    found = model.predict([tokens, state], verbose=0)
    plain = keras.ops.convert_to_tensor(numpy.asarray(embedding(tokens)))
    expected = layer(plain, initial_state=[state], mask=tokens != 0)
    numpy.testing.assert_allclose(found, expected, atol=1e-6)
"""


def test_a_carried_mask_counts_on_jax(other_process):
    pytest.importorskip("jax")
    other_process(JAX, backend="jax")
