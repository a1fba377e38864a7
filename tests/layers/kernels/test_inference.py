"""The forward pass alone: compiled where it stays in this process, plain where it may leave."""

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    GRUCell,
    LSTMCell,
    VanillaRNN,
)
from rnnpipe.layers.kernels import computing_anywhere, computing_here, find_recurrent_kernel
from rnnpipe.layers.kernels.tensorflow import compiled_shapes
from rnnpipe.layers.kernels.tensorflow.compiled_shapes import MIN_UNITS, CompiledShapes
from rnnpipe.layers.kernels.tensorflow.recurrent import MIN_STEPS
from tests.layers.comparing import all_close, close, gradients, projected

BATCH, TIME, FEATURES, UNITS = 3, MIN_STEPS + 3, 4, MIN_UNITS
FREE = [tf.TensorSpec((None, None, FEATURES))]

every_layer = pytest.mark.parametrize("layer_class", [LSTM, GRU, VanillaRNN])


def here(function, signature=None):
    """A graph that stays in this process."""

    def call(*tensors):
        with computing_here():
            return function(*tensors)

    return tf.function(call, signature, autograph=False)


def graph(function, signature=None):
    return tf.function(function, signature, autograph=False)


def compiles(function):
    """Whether XLA compiles anything of a traced function."""
    definition = function.graph.as_graph_def()
    return any(each.attr["_XlaMustCompile"].b for each in definition.library.function)


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


@every_layer
@pytest.mark.parametrize("masked", [False, True])
def test_results_are_those_of_the_plain_loop(random, x, layer_class, masked):
    layer = layer_class(UNITS, return_state=True, return_sequences=masked, go_backwards=masked)
    mask = random.random((BATCH, TIME)) < 0.7 if masked else None
    states = [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in layer.state_size]

    def call(x):
        return layer(x, initial_state=states, mask=mask)

    layer.build(x.shape)
    expected = graph(call)(x)
    for found in (layer(x, initial_state=states, mask=mask), here(call)(x), here(call, FREE)(x)):
        all_close(found, expected, 1e-6)


@every_layer
def test_rows_and_lengths_are_independent(x, layer_class):
    call = here(layer_class(UNITS, return_sequences=True), FREE)
    whole = call(x)
    for length in (1, MIN_STEPS - 1, MIN_STEPS, TIME):
        close(call(x[:1, :length]), whole[:1, :length], 1e-6)


@every_layer
def test_gradients_are_those_of_the_plain_loop(x, layer_class):
    layer = layer_class(UNITS, return_sequences=True)
    layer.build(x.shape)
    expected = gradients(layer, x, training=True)
    all_close(gradients(layer, x), expected, 1e-4)
    all_close(here(lambda: gradients(layer, x))(), expected, 1e-4)


@pytest.mark.parametrize(
    ("cell", "options"),
    [(GRUCell, {"architecture": "bahdanau"}), (LSTMCell, {"output": "deep"})],
)
def test_a_decoder_is_that_of_the_plain_loop(random, cell, options):
    decoder = AttentionDecoder(9, 5, cell(UNITS), AdditiveAttention(6, 2), **options)
    decoder.build((None, None), (None, None, FEATURES))
    tokens = random.integers(1, 9, (BATCH, 9))
    memory = random.normal(size=(BATCH, 9, FEATURES)).astype("float32")
    mask = np.arange(9) < [[9], [4], [1]]

    def call(tokens, memory, mask, training=False):
        return decoder(tokens, memory, mask=mask, training=training)

    specs = [tf.TensorSpec((None, None), tokens.dtype), tf.TensorSpec((None, None, FEATURES))]
    free = here(call, [*specs, tf.TensorSpec((None, None), tf.bool)])
    assert compiles(free.get_concrete_function())
    expected = graph(call)(tokens, memory, mask)
    for found in (call(tokens, memory, mask), here(call)(tokens, memory, mask)):
        all_close(found, expected, 1e-6)
    all_close(free(tokens, memory, mask), expected, 1e-6)

    def slopes(training):
        with tf.GradientTape() as tape:
            values = tf.constant(memory)
            tape.watch(values)
            loss = projected(call(tokens, values, mask, training))
        return tape.gradient(loss, [*(w.value for w in decoder.trainable_weights), values])

    dense = [tf.convert_to_tensor(each) for each in slopes(True)]
    all_close(map(tf.convert_to_tensor, here(lambda: slopes(False))()), dense, 1e-4)


def in_fit(model, x):
    model.compile(loss="mse")
    model.fit(x, x[:, 0, :1], validation_data=(x, x[:, 0, :1]), epochs=1, verbose=0)
    return model.test_function


def in_evaluate(model, x):
    model.compile(loss="mse")
    model.evaluate(x, x[:, 0, :1], verbose=0)
    return model.test_function


def in_predict(model, x):
    model.predict(x, verbose=0)
    return model.predict_function


@pytest.fixture
def compiled_loops(monkeypatch):
    """The calls of an LSTM that may be compiled."""
    kernel, calls = find_recurrent_kernel("lstm", UNITS), []
    infer = kernel.infer

    def count(*arguments, compiles):
        calls.append(compiles)
        return infer(*arguments, compiles=compiles)

    monkeypatch.setattr(kernel, "infer", count)
    return calls


def make_model():
    return keras.Sequential([keras.Input((None, FEATURES)), LSTM(UNITS), keras.layers.Dense(1)])


@pytest.mark.parametrize("run", [in_fit, in_evaluate, in_predict])
def test_keras_compiles_the_steps_that_it_runs(x, compiled_loops, run):
    run(make_model(), x)
    assert compiled_loops == [True]


def test_models_that_xla_compiles_as_a_whole_have_no_loop_of_their_own(
    x, compiled_loops, monkeypatch
):
    # Other tests have asked for it, and Keras compiles nothing then.
    config = importlib.import_module("tensorflow.python.framework.config")
    monkeypatch.setattr(config, "is_op_determinism_enabled", lambda: False)
    model = make_model()
    expected = model.predict(x, verbose=0)
    compiled_loops.clear()
    model.compile(jit_compile=True)
    close(model.predict(x, verbose=0), expected, 1e-6)
    assert not compiled_loops


def test_an_export_has_nothing_to_compile(x, tmp_path):
    model = make_model()
    expected = model.predict(x, verbose=0)
    model.export(tmp_path / "saved", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    close(loaded.serve(x), expected, 1e-6)
    assert not compiles(loaded.signatures["serving_default"])


@pytest.mark.parametrize("traced", [False, True])
def test_an_export_of_a_block_has_nothing_to_compile(traced):
    layer = LSTM(UNITS)

    def call(x):
        with computing_anywhere():
            return layer(x)

    found = (here if traced else graph)(call, FREE).get_concrete_function()
    assert not compiles(found)
    assert compiles(here(layer, FREE).get_concrete_function())


@pytest.mark.parametrize("units", [MIN_UNITS - 1, MIN_UNITS])
def test_small_layers_are_plain(units):
    traced = here(GRU(units), FREE).get_concrete_function()
    assert compiles(traced) == (units >= MIN_UNITS)


def test_so_many_shapes_are_compiled_and_the_rest_is_plain(monkeypatch):
    monkeypatch.setattr(compiled_shapes, "LIMIT", 2)
    shapes = CompiledShapes()

    @tf.function(input_signature=[tf.TensorSpec((), tf.int32)] * 2, autograph=False)
    def run(batch, length):
        return shapes.choose(
            batch, (length,), length > 3, lambda: tf.constant("xla"), lambda: tf.constant("plain")
        )

    given = [(1, 9), (1, 3), (2, 9), (1, 10), (3, 9), (1, 13), (2, 12)]
    found = [run(*each).numpy().decode() for each in given]
    # 9 and 10 are padded to 12; the third shape finds no room.
    assert found == ["xla", "plain", "xla", "xla", "plain", "plain", "xla"]
