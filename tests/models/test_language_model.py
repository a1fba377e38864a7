import keras
import numpy as np
import pytest
from rnnpipe.models.recurrence import build_recurrence

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU
from rnnpipe.models.language_model import build_language_model, state_sizes

TOKENS = np.array([[2, 4, 5, 6, 4, 7], [2, 7, 7, 4, 5, 5]])


def zeros(model):
    return [np.zeros((2, size), "float32") for size in state_sizes(model)]


@pytest.mark.parametrize("kind", ["lstm", "gru", "vanilla", "highway"])
def test_states_go_on_where_a_text_was_left(kind):
    model = build_language_model(
        vocab=9, recurrence=build_recurrence(kind, 5, depth=2, connection="highway"), embedding=3
    )
    whole = model({"tokens": TOKENS, "states": zeros(model)})
    first = model({"tokens": TOKENS[:, :2], "states": zeros(model)})
    second = model({"tokens": TOKENS[:, 2:], "states": [np.array(s) for s in first["states"]]})
    logits = np.concatenate([first["logits"], second["logits"]], axis=1)
    np.testing.assert_allclose(logits, whole["logits"], atol=1e-6)
    for ours, theirs in zip(second["states"], whole["states"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_it_is_saved_and_loaded(tmp_path):
    recurrence = build_recurrence("lstm", 6, depth=2)
    model = build_language_model(vocab=9, recurrence=recurrence, embedding=6, tie_weights=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = {"tokens": TOKENS, "states": zeros(model)}
    np.testing.assert_allclose(loaded(inputs)["logits"], model(inputs)["logits"], atol=1e-6)


def test_tied_weights_are_one():
    model = build_language_model(
        vocab=9, recurrence=build_recurrence("gru", 4), embedding=4, tie_weights=True
    )
    assert sum(9 in weight.shape for weight in model.weights) == 1


def test_mistakes_are_told():
    with pytest.raises(UserError, match="an embedding of 3 and 4 units"):
        build_language_model(
            vocab=9, recurrence=build_recurrence("gru", 4), embedding=3, tie_weights=True
        )
    with pytest.raises(UserError, match="expected a layer that returns its sequences"):
        build_language_model(vocab=9, recurrence=GRU(4))
