"""What Keras guarantees of a layer holds for every layer here, on every way to call it."""

import copy
import inspect
import pickle

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from keras import ops

import rnnpipe.layers
from rnnpipe.decoding import beam_search, greedy_search, sample
from rnnpipe.errors import UserError
from rnnpipe.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    Bridge,
    GRUCell,
    LSTMCell,
    RecurrentStack,
    VanillaRNN,
    VanillaRNNCell,
    WordDropout,
    Zoneout,
)
from rnnpipe.layers.decoder import fused
from rnnpipe.layers.recurrent import base
from rnnpipe.training.log_likelihood import log_likelihood
from tests.layers.cases import (
    BATCH,
    KERNELS,
    LAYERS,
    NO_LAYERS,
    TIME,
    UNITS,
    VOCAB,
    shapes,
)
from tests.layers.comparing import all_close, close

every_layer = pytest.mark.parametrize("name", LAYERS)
every_kernel = pytest.mark.parametrize("name", KERNELS)


def called(name, rows=BATCH, positions=TIME, **options):
    """A layer of the table, its inputs, and what it returns for them."""
    case = LAYERS[name]
    layer, inputs = case.make(**options), case.inputs(rows, positions)
    return layer, inputs, layer(*inputs)


def symbolic(inputs, *, fixed):
    """Symbolic inputs of the arrays' shapes; else of any batch and length."""

    def make(array):
        shape = array.shape if fixed else (None, *array.shape[1:])
        if not fixed and len(shape) == 3 and array.dtype == np.float32:
            shape = (None, None, shape[-1])
        return keras.Input(batch_shape=shape, dtype=array.dtype.name)

    return keras.tree.map_structure(make, inputs)


def test_the_table_has_every_public_layer():
    public = {
        name
        for name, value in vars(rnnpipe.layers).items()
        if isinstance(value, type) and issubclass(value, keras.layers.Layer)
    }
    assert public - NO_LAYERS <= set(LAYERS)


@every_layer
def test_graphs_have_the_static_shapes_of_eager_calls(name):
    layer, inputs, outputs = called(name)

    def both(inputs):
        return layer(*inputs, **_training(layer, False)), layer(*inputs, **_training(layer, True))

    inputs = tf.nest.map_structure(tf.constant, inputs)
    traced = tf.function(both, autograph=False).get_concrete_function(inputs)
    assert shapes(traced.structured_outputs) == 2 * shapes(outputs)
    assert shapes(layer(*symbolic(inputs_of(inputs), fixed=True))) == shapes(outputs)


def inputs_of(tensors):
    return keras.tree.map_structure(ops.convert_to_numpy, tensors)


def _training(layer, training):
    return {"training": training} if layer._call_has_training_arg else {}


@every_layer
def test_a_model_around_it_is_cloned_and_pickled_and_its_config_copied(name):
    layer, inputs, _ = called(name)
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
    layer, _, outputs = called(name, dtype=dtype)
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
    layer, inputs, outputs = called(name)
    assert shapes(layer(*inputs, **_training(layer, True))) == shapes(outputs)


@every_floatx
def test_decoding_runs_with_any_floatx(floatx):
    decoder, (tokens, memory), _ = called("luong")
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
def test_nothing_to_read_gives_outputs_of_the_usual_shape(name, rows, positions):
    layer, _, outputs = called(name)
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
    for training in (False, True):
        found = layer(*inputs, **_training(layer, training))
        if name != "MovingAverage":
            assert shapes(found) == expected
        for output in keras.tree.flatten(found):
            assert np.all(np.isfinite(ops.convert_to_numpy(output)))


def persistent(loss, weight):
    with tf.GradientTape(persistent=True) as tape:
        first, second = loss(), 2.0 * loss()
    return tape.gradient(first, weight), tape.gradient(second, weight) / 2


def two_tapes(loss, weight):
    with tf.GradientTape() as tape, tf.GradientTape() as other:
        value = loss()
    return tape.gradient(value, weight), other.gradient(value, weight)


def in_a_branch(loss, weight):
    with tf.GradientTape() as tape:
        value = tf.cond(tf.reduce_sum(weight) < 1e9, loss, lambda: tf.reduce_sum(weight))
    return [tape.gradient(value, weight)]


def in_a_loop(loss, weight):
    with tf.GradientTape() as tape:
        _, value = tf.while_loop(
            lambda t, _: t < 2,
            lambda t, total: (t + 1, total + loss() / 2),
            (0, 0.0 * tf.reduce_sum(weight)),
        )
    return [tape.gradient(value, weight)]


def beside_a_constant_gradient(loss, weight):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss()
        norm = tf.norm(inner.gradient(value, weight))
        total = value + tf.stop_gradient(norm)
    return [outer.gradient(total, weight)]


def second_order(loss, weight):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss()
        norm = tf.norm(inner.gradient(value, weight))
    return [outer.gradient(norm, weight)]


TARGETS = np.arange(10).reshape(2, 5) % VOCAB


def loss_and_weight(name):
    """A loss with a kernel in it, and a weight that its gradient is taken for."""
    if name == "log_likelihood":
        logits = tf.Variable(np.random.default_rng(3).normal(size=(2, 5, VOCAB)))
        return lambda: tf.reduce_sum(log_likelihood(TARGETS, logits * 1.0)[0] ** 2), logits
    layer, inputs, _ = called(name, dtype="float64")
    inputs = [tf.constant(array) for array in inputs]

    def loss():
        outputs = tf.nest.flatten(layer(*inputs, training=True))
        return sum(tf.reduce_sum(output**2) for output in outputs)

    # Of a recurrence, since the products before and after the loops have all their gradients.
    recurrent = [weight for weight in layer.trainable_weights if "recurrent" in weight.path]
    return loss, recurrent[0].value


@pytest.mark.parametrize("name", [*KERNELS, "log_likelihood"])
def test_gradients_are_the_same_for_every_kind_of_tape(name):
    loss, weight = loss_and_weight(name)
    kinds = (persistent, two_tapes, in_a_branch, in_a_loop, beside_a_constant_gradient)

    def all_kinds():
        return [gradient for kind in kinds for gradient in kind(loss, weight)]

    with tf.GradientTape() as tape:
        value = loss()
    expected = tape.gradient(value, weight).numpy()
    assert np.abs(expected).max() > 1e-3
    for gradients in (all_kinds(), tf.function(all_kinds, autograph=False)()):
        for gradient in gradients:
            close(gradient, expected)


def in_graph(function):
    # AutoGraph would wrap the error.
    return tf.function(function, autograph=False)


@every_kernel
@pytest.mark.parametrize("run", [lambda f: f, in_graph], ids=["eager", "graph"])
def test_gradients_of_gradients_are_refused_where_they_are_asked_for(name, run):
    loss, weight = loss_and_weight(name)
    with pytest.raises(UserError, match="first order, got gradients of gradients"):
        run(lambda: second_order(loss, weight))()


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_log_likelihoods_have_gradients_of_gradients(run):
    logits = tf.Variable(np.random.default_rng(3).normal(size=(2, 5, VOCAB)))

    def plain():
        found = tf.nn.log_softmax(logits)
        return tf.reduce_sum(tf.gather(found, TARGETS, batch_dims=2) ** 2)

    def kernel():
        return tf.reduce_sum(log_likelihood(TARGETS, logits * 1.0)[0] ** 2)

    expected = second_order(plain, logits)
    all_close(run(lambda: second_order(kernel, logits))(), expected)


class HalfLSTMCell(LSTMCell):
    def call(self, inputs, states, training=False):
        h, new = super().call(inputs, states, training)
        return h / 2, [h / 2, new[1]]


class HalfGRUCell(GRUCell):
    def call(self, inputs, states, training=False):
        h, _ = super().call(inputs, states, training)
        return h / 2, [h / 2]


class HalfVanillaRNNCell(VanillaRNNCell):
    def call(self, inputs, states, training=False):
        h, _ = super().call(inputs, states, training)
        return h / 2, [h / 2]


class PlainFusedLSTMCell(LSTMCell):
    def _compute_carry_and_output_fused(self, z, c_tm1):
        c, o = super()._compute_carry_and_output_fused(z, c_tm1)
        return c / 2, o


def half_tanh(x):
    return ops.tanh(x) / 2


def replaced(layer, cell):
    layer.cell = cell
    return layer


def patched(layer):
    call = layer.cell.call
    layer.cell.call = lambda inputs, states, training=False: call(inputs / 2, states)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        replaced(LSTM(UNITS), HalfLSTMCell(UNITS)),
        replaced(GRU(UNITS), HalfGRUCell(UNITS)),
        replaced(VanillaRNN(UNITS), HalfVanillaRNNCell(UNITS)),
        replaced(LSTM(UNITS), PlainFusedLSTMCell(UNITS)),
        replaced(LSTM(UNITS), rnnpipe.layers.PeepholeLSTMCell(UNITS)),
        patched(LSTM(UNITS)),
        patched(GRU(UNITS)),
        LSTM(UNITS, activation=half_tanh),
        GRU(UNITS, recurrent_activation="hard_sigmoid"),
        VanillaRNN(UNITS, activation="relu"),
    ],
    ids=lambda layer: f"{layer.name}",
)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_steps_with_the_cell_that_it_has(layer, training):
    (x,) = LAYERS["LSTM"].inputs(BATCH, TIME)
    close(layer(x, training=training), keras.layers.RNN(layer.cell)(x))
    if layer.has_own_cell and hasattr(layer, "gates"):
        with pytest.raises(UserError, match="the cell of Keras to record gates"):
            layer.gates(x)


class HalfScores(AdditiveAttention):
    def scores(self, query, keys, state, training):
        return super().scores(query, keys, state, training) / 2


def _half_scores(decoder):
    scores = decoder.cell.attention.scores
    decoder.cell.attention.scores = lambda *arguments: scores(*arguments) / 2


def _half_context(decoder):
    attend = decoder.cell.attend

    def attend_less(*arguments):
        context, *rest = attend(*arguments)
        return context / 2, *rest

    decoder.cell.attend = attend_less


def _relu_readout(decoder):
    decoder.cell.readout.dense.activation = keras.activations.relu


def _half_readout(decoder):
    call = decoder.cell.readout.call
    decoder.cell.readout.call = lambda *arguments: call(*arguments) / 2


@pytest.mark.parametrize("change", [_half_scores, _half_context, _relu_readout, _half_readout])
def test_a_decoder_takes_the_methods_that_its_parts_have(change):
    decoder, inputs, before = called("luong")
    change(decoder)
    logits, _ = decoder(*inputs)
    assert np.abs(logits - before[0]).max() > 1e-4
    step, state = decoder.begin(inputs[1])
    for time in range(TIME - 1):
        expected, state, _ = step(ops.convert_to_tensor(inputs[0][:, time]), state)
        close(logits[:, time], expected)


@pytest.mark.parametrize("cell", [HalfGRUCell(UNITS), HalfLSTMCell(UNITS)])
def test_a_decoder_steps_with_the_cells_and_the_attention_of_its_user(cell, monkeypatch):
    decoder = AttentionDecoder(VOCAB, UNITS, cell, AdditiveAttention(3))
    mine = AttentionDecoder(VOCAB, UNITS, GRUCell(UNITS), HalfScores(3))
    inputs = LAYERS["luong"].inputs(BATCH, TIME)
    found = [decoder(*inputs)[0], mine(*inputs)[0]]
    monkeypatch.setattr(fused, "find_decoder_kernel", lambda *_: None)
    all_close(found, [decoder(*inputs)[0], mine(*inputs)[0]])


@every_kernel
def test_kernels_serve_the_layers_as_they_come(name, monkeypatch):
    served = []

    def find(recurrence, *_):
        served.append(recurrence)

    monkeypatch.setattr(base, "find_recurrent_kernel", find)
    monkeypatch.setattr(fused, "find_decoder_kernel", find)
    called(name)
    assert served


DECODERS = ("luong", "bahdanau", "top_down")
RECURRENT = ("LSTM", "GRU", "VanillaRNN", "last output", "RecurrentStack")
POOLINGS = ("MeanPooling", "MaxPooling", "AttentionPooling")
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
def test_mistakes_are_named_alike_in_eager_and_symbolic_calls(name):
    layer, inputs, _ = called(name)
    inputs, options = wrong(name, inputs)
    with pytest.raises(UserError, match=f"'{layer.name}': expected") as eager:
        layer(*inputs, **options)
    with pytest.raises(UserError) as fault:
        layer(*symbolic(inputs, fixed=True), **symbolic(options, fixed=True))
    assert str(fault.value) == str(eager.value)
    assert str(pickle.loads(pickle.dumps(eager.value))) == str(eager.value)


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


def test_a_copy_joins_both_directions_of_each_layer():
    (x,) = LAYERS["LSTM"].inputs(BATCH, TIME)
    for layer, count in ((GRU, 1), (LSTM, 2)):
        stack = RecurrentStack(layer(4, return_state=True), 2, bidirectional=True)
        _, *states = stack(x)
        by_layer = [states[: 2 * count], states[2 * count :]]
        expected = [
            np.concatenate([level[cell], level[count + cell]], axis=-1)
            for level in by_layer
            for cell in range(count)
        ]
        sizes = [8] * len(expected)
        all_close(Bridge(sizes, "copy", layers=2)(states), expected)
        all_close(Bridge(sizes, "copy")(by_layer), expected)
        with pytest.raises(
            UserError, match=r"the number of the encoder's layers, got .* states of"
        ):
            Bridge(sizes, "copy")(states)


def test_a_stack_is_a_recurrent_layer_for_wrappers():
    documents = np.random.default_rng(1).normal(size=(2, 3, 5, 4)).astype("float32")
    stack = RecurrentStack(GRU(UNITS), 2)
    found = keras.layers.TimeDistributed(stack)(documents)
    close(found, np.stack([stack(documents[:, i]) for i in range(3)], axis=1))
    both = keras.layers.Bidirectional(RecurrentStack(GRU(UNITS, return_sequences=True), 2))
    x = documents[0]
    found, lower = both(x), both.backward_layer
    forward = lower.layers[1](lower.layers[0](x[:, ::-1]))
    close(found[..., UNITS:], np.asarray(forward)[:, ::-1])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_a_stateful_stack_goes_on_and_is_reset(bidirectional, return_state):
    (x,) = LAYERS["LSTM"].inputs(BATCH, TIME)
    layer = GRU(UNITS, return_sequences=True, stateful=True, return_state=return_state)
    stack = RecurrentStack(layer, 2, bidirectional=bidirectional)
    mask = np.ones((BATCH, TIME), bool)
    first, again = (np.array(keras.tree.flatten(stack(x, mask=mask))[0]) for _ in range(2))
    assert np.abs(first - again).max() > 1e-4
    stack.reset_state()
    close(keras.tree.flatten(stack(x, mask=mask))[0], first)
    with pytest.raises(UserError, match="first states that are either learned or kept"):
        RecurrentStack(layer, 2, learned_state=True)


def test_gates_of_a_stateful_layer_start_from_its_states():
    (x,) = LAYERS["GRU"].inputs(BATCH, TIME)
    layer = GRU(UNITS, stateful=True, return_sequences=True)
    layer(x)
    h, gates = layer.states[0].numpy(), layer.gates(x)
    update, candidate = (np.asarray(gates[name]) for name in ("update", "candidate"))
    h = update[:, 0] * h + (1 - update[:, 0]) * candidate[:, 0]
    close(layer(x)[:, 0], h)


def test_zoneout_of_any_cells_gives_their_output():
    (x,) = LAYERS["LSTM"].inputs(BATCH, TIME)
    for cell in (
        rnnpipe.layers.HighwayLSTMCell(UNITS, depth=3),
        [LSTMCell(UNITS), GRUCell(3)],
        rnnpipe.layers.ProjectionLSTMCell(UNITS, 2),
    ):
        layer = Zoneout(cell, 0.0, return_sequences=True)
        close(layer(x), keras.layers.RNN(layer.cell, return_sequences=True)(x))


class Added(keras.layers.Layer):
    state_size = 4

    def call(self, inputs, states):
        return inputs[:, :4] + states[0], [inputs[:, :4] * 2]


def test_zoneout_refuses_a_cell_whose_output_is_no_state():
    with pytest.raises(UserError, match="a cell whose output is one of its states"):
        Zoneout(Added(), 0.1)(np.ones((2, 3, 5), "float32"))


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


def test_a_moving_average_moves_in_half_precision():
    average = rnnpipe.layers.MovingAverage(0.99, dtype="mixed_float16")
    for value in [-200.0] * 400 + [-201.0] * 400:
        last = average(np.full(4, value, "float32"), training=True)
    close(last, -200.98, 1e-4)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda step, state: greedy_search(step, state, max_length=4, end=[3, 4]), "end: expected"),
        (
            lambda step, state: greedy_search(step, {"h": state, "mask": None}, max_length=4),
            "state: expected nested tensors",
        ),
        (lambda step, state: greedy_search(step, state, max_length=4, start="a"), "start: expect"),
        (lambda step, state: greedy_search(step, state, max_length=4, start=0.5), "start: expect"),
        (lambda *_: RecurrentStack(GRUCell(4), 2), "expected a recurrent layer"),
        (
            lambda *_: RecurrentStack(keras.layers.Bidirectional(GRU(4)), 2),
            "pass the layer in it, and bidirectional=True",
        ),
        (lambda *_: rnnpipe.layers.LearnedState(4), "a list of positive sizes, got 4"),
        (lambda *_: Bridge(4), "a list of positive sizes, got 4"),
        (lambda *_: AttentionDecoder("many", 4, GRUCell(4), AdditiveAttention(3)), "vocabulary"),
        (lambda *_: AttentionDecoder(9, "four", GRUCell(4), AdditiveAttention(3)), "an embedding"),
        (lambda *_: AdditiveAttention("three"), "at least 1 unit"),
        (lambda *_: WordDropout("half"), "a rate from 0"),
        (lambda *_: Zoneout(LSTMCell(4), "half"), "a rate in"),
    ],
)
def test_the_kind_of_an_argument_is_checked_first(mistake, message):
    state = ops.zeros((2, 3))
    with pytest.raises(UserError, match=message):
        mistake(lambda tokens, state: (ops.one_hot(tokens, 6), state), state)


def test_a_search_as_wide_as_the_decoder_was_prepared_for():
    decoder, (tokens, memory), _ = called("luong")
    with pytest.raises(
        UserError, match=r"step: expected 21 rows, as begin.* got 28; pass the beam"
    ):
        beam_search(*decoder.begin(memory, beam_width=3), beam_width=4, max_length=4)
    with pytest.raises(UserError, match="a beam_width of at least 1, got 0"):
        decoder.begin(memory, beam_width=0)
    h = np.ones((BATCH, UNITS), "float32")
    all_close(decoder(tokens, memory, initial_state=[[h]]), decoder(tokens, memory, None, [h]))
    numbers = AttentionDecoder(np.int64(9), np.int64(4), GRUCell(4), AdditiveAttention(3))
    step, state = (numbers(tokens, memory), numbers.begin(memory))[1]
    assert greedy_search(step, state, max_length=np.int64(4), end=np.int64(3)).ids.shape[0] == BATCH
