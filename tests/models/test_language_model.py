import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, RecurrentStack
from rnnpipe.models.language_model import (
    LanguageModelOptions,
    build_language_model,
    first_states,
    get_states,
    state_sizes,
)
from rnnpipe.parts.cells import (
    GRUOptions,
    LSTMOptions,
    RecurrentHighwayOptions,
    VanillaRNNOptions,
)
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions

TOKENS = np.array([[2, 4, 5, 6, 4, 7], [2, 7, 7, 4, 5, 5]])
CELLS = [LSTMOptions, GRUOptions, VanillaRNNOptions, RecurrentHighwayOptions]


def build(cell, embedding=3, tie_weights=False, **options):
    made = LanguageModelOptions(
        embedding=EmbeddingOptions(size=embedding),
        recurrence=RecurrenceOptions(cell=cell, **options),
        tie_weights=tie_weights,
    )
    return build_language_model(made, vocab=9)


def zeros(model):
    return [np.zeros((2, size), "float32") for size in state_sizes(model)]


def read(model, tokens, states, starts=(False, False)):
    return model({"tokens": tokens, "starts": np.array(starts), "states": states})


@pytest.mark.parametrize("cell", CELLS)
def test_states_continue_a_text(cell):
    model = build(cell(units=5), depth=2, connection="highway")
    whole = read(model, TOKENS, zeros(model), [True, True])
    first = read(model, TOKENS[:, :2], zeros(model), [True, True])
    second = read(model, TOKENS[:, 2:], [np.array(s) for s in get_states(first)])
    logits = np.concatenate([first["logits"], second["logits"]], axis=1)
    np.testing.assert_allclose(logits, whole["logits"], atol=1e-6)
    for ours, theirs in zip(get_states(second), get_states(whole), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("learned", [False, True])
def test_a_text_that_starts_has_the_first_states_whatever_is_passed(learned):
    model = build(LSTMOptions(units=4), depth=2, learned_state=learned)
    rng = np.random.default_rng(1)
    vectors = [np.zeros(4)] * 4
    if learned:
        layer = model.get_layer("first_states")
        layer.set_weights(vectors := [rng.normal(size=4) for _ in range(4)])
    for state, vector in zip(first_states(model, 2), vectors, strict=True):
        np.testing.assert_allclose(state, np.tile(vector, (2, 1)), rtol=1e-6)
    states = [rng.normal(size=(2, 4)).astype("float32") for _ in range(4)]
    mixed = read(model, TOKENS, states, [True, False])["logits"]
    expected = read(model, TOKENS, [np.array(s) for s in first_states(model, 2)])["logits"]
    np.testing.assert_allclose(mixed[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(mixed[1], read(model, TOKENS, states)["logits"][1], atol=1e-6)
    assert np.abs(mixed[1] - expected[1]).max() > 1e-3


@pytest.mark.parametrize("learned", [False, True])
def test_saved_models_load_in_another_process(predict_elsewhere, learned):
    model = build(LSTMOptions(units=6), 6, tie_weights=True, depth=2, learned_state=learned)
    if learned:
        rng = np.random.default_rng(1)
        model.get_layer("first_states").set_weights([rng.normal(size=6) for _ in range(4)])
    inputs = {"tokens": TOKENS, "starts": np.array([True, False]), "states": zeros(model)}
    names = ["tokens", "starts", *(f"state_{number}" for number in range(4))]
    flat = [inputs["tokens"], inputs["starts"], *inputs["states"]]
    tensors = [model.input["tokens"], model.input["starts"], *model.input["states"]]
    assert [tensor.name for tensor in tensors] == names
    found, *_ = predict_elsewhere(keras.Model(tensors, model.output["logits"]), flat)
    np.testing.assert_allclose(found, model(inputs)["logits"], atol=1e-6)


def test_tied_weights_are_one():
    model = build(GRUOptions(units=4), 4, tie_weights=True)
    assert sum(9 in weight.shape for weight in model.weights) == 1


def test_wrong_options_and_layers_are_refused():
    with pytest.raises(UserError, match="an embedding of 3 and 4 units"):
        build(GRUOptions(units=4), 3, tie_weights=True)
    with pytest.raises(UserError, match="expected a layer that returns its sequences"):
        build_language_model(LanguageModelOptions(), vocab=9, recurrence=GRU(4))
    stack = RecurrentStack(GRU(4, return_sequences=True, return_state=True), 1, learned_state=True)
    with pytest.raises(UserError, match="expected a layer without learned first states"):
        build_language_model(LanguageModelOptions(), vocab=9, recurrence=stack)
    with pytest.raises(UserError, match=r"recurrence\.bidirectional: expected false"):
        LanguageModelOptions(recurrence=RecurrenceOptions(bidirectional=True))


def test_it_exports_with_its_states_by_name(tmp_path):
    model = build_language_model(LanguageModelOptions(), vocab=9)
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    inputs = {"tokens": TOKENS, "starts": np.array([True, False]), "states": zeros(model)}
    outputs, expected = served.serve(inputs), model(inputs)
    assert outputs.keys() == expected.keys() == {"logits", "state_0", "state_1"}
    for name, value in expected.items():
        np.testing.assert_allclose(outputs[name], value, atol=1e-5)
