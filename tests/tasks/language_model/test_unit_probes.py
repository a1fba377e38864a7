import keras
import numpy as np
import pytest

from rnnpipe.layers import LSTM
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import GRUOptions, LSTMOptions, PeepholeLSTMOptions, VanillaRNNOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.tasks.language_model.unit_probes import (
    PROPERTIES,
    find_unit_probes,
    record_activations,
)


def build(cell, **options):
    recurrence = RecurrenceOptions(cell=cell, **options)
    return build_language_model(LanguageModelOptions(recurrence=recurrence), vocab=9)


def measure(what, text):
    return PROPERTIES[what](list(text)).tolist()


def test_properties_of_a_text():
    assert measure("the position in the line", "ab\ncd") == [1, 2, 0, 1, 2]
    assert measure("the position in the word", "ab, c") == [1, 2, 0, 0, 1]
    assert measure("being inside of quotes", 'a "b" c') == [0, 0, 1, 1, 0, 0, 0]
    assert measure("being inside of quotes", '"a\n\nb"') == [1, 1, 1, 0, 0, 1]
    assert measure("being inside of brackets", "(a[b])c") == [1, 1, 2, 2, 1, 0, 0]
    assert measure("being inside of brackets", "(a\n\nb)") == [1, 1, 1, 0, 0, 0]
    assert measure("capitals", "aB1") == [0, 1, 0]


def test_the_tracking_unit_is_identified():
    rng = np.random.default_rng(0)
    pieces = list('say "to be" or\nnot "to" be\n' * 5)
    memory = rng.normal(size=(len(pieces), 6))
    quoted = PROPERTIES["being inside of quotes"](pieces)
    memory[:, 3] = -2 * quoted + 0.01 * memory[:, 3]
    first = find_unit_probes(memory, pieces)[0]
    assert (first.what, first.unit) == ("being inside of quotes", 3)
    assert first.correlation == pytest.approx(-1, abs=0.01)


@pytest.mark.parametrize("learned_state", [False, True])
def test_the_memory_of_an_lstm_is_its_cell(learned_state):
    keras.utils.set_random_seed(1)
    model = build(LSTMOptions(units=4), depth=2, learned_state=learned_state)
    states = [np.zeros((1, 4), "float32")] * 2
    if learned_state:
        rng = np.random.default_rng(1)
        vectors = [rng.normal(size=4).astype("float32") for _ in range(4)]
        model.get_layer("first_states").set_weights(vectors)
        states = [vector[None] for vector in vectors[:2]]
    reading = record_activations(model, [4, 5, 6])
    lstm = LSTM(4, return_state=True)
    words = model.get_layer("embedding")(np.array([[2, 4, 5, 6]]))
    lstm.build(words.shape)
    lstm.set_weights(model.get_layer("recurrence").layers[0].get_weights())
    _, _, cell = lstm(words, initial_state=states)
    np.testing.assert_allclose(reading.memory[-1], cell[0], atol=1e-6)
    assert {name: values.shape for name, values in reading.gates.items()} == dict.fromkeys(
        ("input", "forget", "candidate", "output"), (3, 4)
    )


@pytest.mark.parametrize(
    "cell",
    [
        VanillaRNNOptions(units=4),
        GRUOptions(units=4, reset_after=False),
        PeepholeLSTMOptions(units=4),
    ],
)
def test_layers_that_return_no_gates_show_their_output(cell):
    reading = record_activations(build(cell), [4, 5, 6])
    assert reading.memory.shape == (3, 4)
    assert reading.gates == {}
