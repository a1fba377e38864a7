"""What Keras guarantees of a layer holds for every layer here, on every way to call it."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import rnnpipe.layers
from rnnpipe.decoding import beam_search, greedy_search, sample
from rnnpipe.errors import UserError
from tests.layers.cases import (
    BATCH,
    LAYERS,
    NO_LAYERS,
    TIME,
    UNITS,
    VOCAB,
    call_case,
    every_layer,
    shapes,
    symbolic,
    training_option,
)
from tests.layers.comparing import all_close


def test_the_cases_include_every_public_layer():
    public = {
        name
        for name, value in vars(rnnpipe.layers).items()
        if isinstance(value, type) and issubclass(value, keras.layers.Layer)
    }
    assert public - NO_LAYERS <= set(LAYERS)


@every_layer
def test_graphs_have_the_static_shapes_of_eager_calls(name):
    layer, inputs, outputs = call_case(name)

    def both(inputs):
        return layer(*inputs, **training_option(layer, False)), layer(
            *inputs, **training_option(layer, True)
        )

    inputs = tf.nest.map_structure(tf.constant, inputs)
    traced = tf.function(both, autograph=False).get_concrete_function(inputs)
    assert shapes(traced.structured_outputs) == 2 * shapes(outputs)
    assert shapes(layer(*symbolic(inputs_of(inputs), fixed=True))) == shapes(outputs)


REDUCTIONS = {"pyramid": 4, "FrameStacking": 3, "ConvolutionalSubsampling": 4}
"""By how much layers divide the time."""


def inputs_of(tensors):
    return keras.tree.map_structure(ops.convert_to_numpy, tensors)


@every_layer
def test_a_model_of_the_layer_can_be_cloned_and_pickled(name):
    layer, inputs, _ = call_case(name)
    config = layer.get_config()
    again = type(layer).from_config(copy.deepcopy(config))
    assert again.get_config() == config
    given = symbolic(inputs, fixed=False)
    model = keras.Model(given, layer(*given))
    expected = keras.tree.flatten(model(inputs))
    for other in (keras.models.clone_model(model), pickle.loads(pickle.dumps(model))):
        other.set_weights(model.get_weights())
        all_close(keras.tree.flatten(other(inputs)), expected)


@every_layer
@pytest.mark.parametrize("dtype", ["mixed_float16", "float64"])
def test_outputs_are_of_the_dtype_of_the_policy(name, dtype):
    layer, _, outputs = call_case(name, dtype=dtype)
    expected = {"MovingAverage": layer.variable_dtype, "WordDropout": "int32"}
    for output in keras.tree.flatten(outputs):
        assert keras.backend.standardize_dtype(output.dtype) == expected.get(
            name, layer.compute_dtype
        )
        assert np.all(np.isfinite(ops.convert_to_numpy(ops.cast(output, "float32"))))


@pytest.fixture
def floatx(request):
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(before)


every_floatx = pytest.mark.parametrize("floatx", ["float64", "float16"], indirect=True)


@every_layer
@pytest.mark.parametrize("floatx", ["float64"], indirect=True)  # half precision: the policies above
def test_layers_run_with_any_floatx(name, floatx):
    layer, inputs, outputs = call_case(name)
    assert shapes(layer(*inputs, **training_option(layer, True))) == shapes(outputs)


@every_floatx
def test_decoding_runs_with_any_floatx(floatx):
    decoder, (tokens, memory), _ = call_case("luong")
    for strategy, options in (
        (greedy_search, {}),
        (sample, {"seed": 1, "top_k": 3, "top_p": 0.9}),
        (beam_search, {"beam_width": 4, "groups": 2, "n_best": 2}),
        (beam_search, {"beam_width": 2, "required_phrases": [[[5]]] * BATCH}),
    ):
        decoded = strategy(*decoder.begin(memory), max_length=5, **options)
        assert decoded.ids.shape[0] == BATCH
        assert np.all(np.isfinite(ops.convert_to_numpy(decoded.scores)))
    both = decoder(tokens, memory, sampling_rate=0.5, training=True)
    assert both[0].shape == (BATCH, TIME - 1, VOCAB)


@every_layer
@pytest.mark.parametrize(("rows", "positions"), [(0, TIME), (BATCH, 0), (0, 0)])
def test_empty_inputs_have_outputs_of_the_usual_shape(name, rows, positions):
    layer, _, outputs = call_case(name)
    if type(layer) is keras.layers.RNN and (positions == 0 or name == "LSTMCell"):
        pytest.skip("Keras' own layer around a cell needs a step, and its LSTMCell a row")
    inputs = LAYERS[name].inputs(rows, positions)
    expected = [
        tuple({BATCH: rows, TIME: positions}.get(size, size) for size in shape)
        for shape in shapes(outputs)
    ]
    if name in ("Bridge", "GlimpseReader", "LearnedState"):
        expected = [(rows, *shape[1:]) for shape in shapes(outputs)]
        if name == "GlimpseReader":
            expected[1] = (*expected[1][:-1], positions)
    if name in REDUCTIONS:
        expected[0] = (rows, -(-positions // REDUCTIONS[name]), *expected[0][2:])
    for training in (False, True):
        found = layer(*inputs, **training_option(layer, training))
        if name != "MovingAverage":
            assert shapes(found) == expected
        for output in keras.tree.flatten(found):
            assert np.all(np.isfinite(ops.convert_to_numpy(output)))


DECODERS = ("luong", "bahdanau", "top_down")
RECURRENT = ("LSTM", "GRU", "VanillaRNN", "last output", "RecurrentStack")
POOLINGS = ("MeanPooling", "MaxPooling", "ConcatPooling", "AttentionPooling")
ATTENTIONS = tuple(name for name in LAYERS if name.endswith("Attention"))


def wrong(name, inputs):
    """Inputs and options of which one does not fit."""
    if name in DECODERS:
        return [inputs[0].astype("float32"), inputs[1]], {}
    if name in RECURRENT:
        return inputs, {"initial_state": [np.zeros((BATCH, UNITS + 1), "float32")]}
    if name in POOLINGS:
        return [inputs[0][:, 0]], {}
    memory = inputs[1][0] if isinstance(inputs[1], list) else inputs[1][..., :2]
    return [inputs[0], memory], {}


@pytest.mark.parametrize("name", [*DECODERS, *RECURRENT, *POOLINGS, *ATTENTIONS])
def test_errors_are_equal_in_eager_and_symbolic_calls(name):
    layer, inputs, _ = call_case(name)
    inputs, options = wrong(name, inputs)
    with pytest.raises(UserError, match=f"'{layer.name}': expected") as eager:
        layer(*inputs, **options)
    with pytest.raises(UserError) as fault:
        layer(*symbolic(inputs, fixed=True), **symbolic(options, fixed=True))
    assert str(fault.value) == str(eager.value)
    assert str(pickle.loads(pickle.dumps(eager.value))) == str(eager.value)
