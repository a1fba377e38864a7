import keras
import numpy as np
import pytest
from rnnpipe.models.recurrence import build_recurrence

from rnnpipe.layers import LSTM
from rnnpipe.models.language_model import build_language_model
from rnnpipe.tasks.language_model.unit_probes import (
    PROPERTIES,
    find_unit_probes,
    record_activations,
)


def measure(what, text):
    return PROPERTIES[what](list(text)).tolist()


def test_what_is_said_of_a_text():
    assert measure("the position in the line", "ab\ncd") == [1, 2, 0, 1, 2]
    assert measure("the position in the word", "ab, c") == [1, 2, 0, 0, 1]
    assert measure("being inside of quotes", 'a "b" c') == [0, 0, 1, 1, 0, 0, 0]
    assert measure("being inside of quotes", '"a\n\nb"') == [1, 1, 1, 0, 0, 1]
    assert measure("being inside of brackets", "(a[b])c") == [1, 1, 2, 2, 1, 0, 0]
    assert measure("being inside of brackets", "(a\n\nb)") == [1, 1, 1, 0, 0, 0]
    assert measure("capitals", "aB1") == [0, 1, 0]


def test_the_unit_that_tracks_is_found():
    rng = np.random.default_rng(0)
    pieces = list('say "to be" or\nnot "to" be\n' * 5)
    memory = rng.normal(size=(len(pieces), 6))
    quoted = PROPERTIES["being inside of quotes"](pieces)
    memory[:, 3] = -2 * quoted + 0.01 * memory[:, 3]
    first = find_unit_probes(memory, pieces)[0]
    assert (first.what, first.unit) == ("being inside of quotes", 3)
    assert first.correlation == pytest.approx(-1, abs=0.01)


def test_the_memory_of_an_lstm_is_its_cell():
    keras.utils.set_random_seed(1)
    model = build_language_model(vocab=9, recurrence=build_recurrence("lstm", 4), embedding=3)
    reading = record_activations(model, [4, 5, 6])
    lstm = LSTM(4, return_state=True)
    words = model.get_layer("embedding")(np.array([[2, 4, 5, 6]]))
    lstm.build(words.shape)
    lstm.set_weights(model.get_layer("recurrence").get_weights())
    _, _, cell = lstm(words)
    np.testing.assert_allclose(reading.memory[-1], cell[0], atol=1e-6)
    assert {name: values.shape for name, values in reading.gates.items()} == dict.fromkeys(
        ("input", "forget", "candidate", "output"), (3, 4)
    )


def test_other_layers_show_their_output():
    model = build_language_model(vocab=9, recurrence=build_recurrence("vanilla", 4), embedding=3)
    reading = record_activations(model, [4, 5, 6])
    assert reading.memory.shape == (3, 4)
    assert reading.gates == {}
