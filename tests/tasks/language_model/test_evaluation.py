import keras
import numpy as np
import pytest
from rnnpipe.models.recurrence import build_recurrence

from rnnpipe.inputs.streams import make_streams
from rnnpipe.models.language_model import build_language_model, state_sizes
from rnnpipe.tasks.language_model.evaluation import token_nats


@pytest.mark.parametrize("time", [3, 8])
def test_surprise_is_that_of_one_long_pass_over_each_document(time):
    keras.utils.set_random_seed(1)
    model = build_language_model(vocab=9, recurrence=build_recurrence("lstm", 6), embedding=4)
    rng = np.random.default_rng(2)
    documents = [rng.integers(4, 9, length) for length in (20, 11)]
    streams = make_streams(documents, rows=1, time=time)
    found = streams.by_text(token_nats(model, streams))
    expected = []
    for document in documents:
        tokens = np.concatenate([[2], document[:-1]])[None]
        states = [np.zeros((1, size), "float32") for size in state_sizes(model)]
        logits = np.asarray(model({"tokens": tokens, "states": states})["logits"])[0]
        shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        expected.append(-np.log(shares[np.arange(len(document)), document]))
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-4, atol=1e-5)
