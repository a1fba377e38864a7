import keras
import numpy as np
import pytest

from rnnpipe.inputs.streams import make_streams
from rnnpipe.models.language_model import (
    LanguageModelOptions,
    build_language_model,
    first_states,
)
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.language_model.evaluation import score_network, token_nats
from rnnpipe.tasks.language_model.network import make_step


@pytest.mark.parametrize("learned_state", [False, True])
@pytest.mark.parametrize("time", [3, 8])
def test_nats_are_those_of_one_long_pass_over_each_document(time, learned_state):
    keras.utils.set_random_seed(1)
    recurrence = RecurrenceOptions(cell=LSTMOptions(units=6), learned_state=learned_state)
    options = LanguageModelOptions(embedding=EmbeddingOptions(size=4), recurrence=recurrence)
    model = build_language_model(options, vocab=9)
    rng = np.random.default_rng(2)
    if learned_state:
        model.get_layer("first_states").set_weights([rng.normal(size=6) for _ in range(2)])
    documents = [rng.integers(4, 9, length) for length in (20, 11)]
    streams = make_streams(documents, rows=1, time=time)
    found = streams.by_text(token_nats(model, streams))
    expected = []
    for document in documents:
        tokens = np.concatenate([[2], document[:-1]])[None]
        states = [np.asarray(state) for state in first_states(model, 1)]
        inputs = {"tokens": tokens, "starts": np.array([False]), "states": states}
        logits = np.asarray(model(inputs)["logits"])[0]
        shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        expected.append(-np.log(shares[np.arange(len(document)), document]))
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_network_has_the_scores_of_its_model(rows):
    keras.utils.set_random_seed(1)
    recurrence = RecurrenceOptions(cell=LSTMOptions(units=6))
    options = LanguageModelOptions(embedding=EmbeddingOptions(size=4), recurrence=recurrence)
    model = build_language_model(options, vocab=9)
    rng = np.random.default_rng(2)
    documents = [rng.choice([1, *range(4, 9)], length) for length in (20, 11)]  # 1 is unknown
    streams = make_streams(documents, rows=rows, time=3)
    nats = streams.by_text(token_nats(model, streams))
    scores = score_network(make_step(model, SamplingOptions()), streams, characters=40)
    assert len(nats) == 31
    assert scores["nats"] == pytest.approx(nats.mean(), rel=1e-5)
    assert scores["bits_per_char"] == pytest.approx(nats.sum() / np.log(2) / 40, rel=1e-5)
    assert scores["perplexity"] == pytest.approx(np.exp(nats.mean()), rel=1e-5)
