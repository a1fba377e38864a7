import keras
import numpy as np
import pytest

from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import VanillaRNNOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.training.gradients import GradientFlow, measure_gradient_flow
from tests.training.recurrent_oracle import Oracle

VOCAB, UNITS = 8, 5


def make_model():
    keras.utils.set_random_seed(4)
    recurrence = RecurrenceOptions(cell=VanillaRNNOptions(units=UNITS))
    options = LanguageModelOptions(embedding=EmbeddingOptions(size=3), recurrence=recurrence)
    return build_language_model(options, vocab=VOCAB)


def test_norms_are_those_of_the_chain_rule():
    model = make_model()
    tokens = np.random.default_rng(0).integers(4, VOCAB, (2, 7))
    flow = measure_gradient_flow(model, tokens)
    oracle = Oracle(model.get_weights())
    recurrent, out = oracle.weights[2], oracle.weights[4]
    hidden, shares = oracle.forward(tokens[:, :-1], np.zeros((2, UNITS)))
    d_hidden = (shares[-1] - np.eye(VOCAB)[tokens[:, -1]]) @ out.T
    expected = []
    for state in reversed(hidden[1:]):
        d_hidden = (d_hidden * (1 - state**2)) @ recurrent.T
        expected.append(np.linalg.norm(d_hidden, axis=1).mean())
    np.testing.assert_allclose(flow.norms, expected, rtol=1e-4)
    targets = np.zeros((2, 6), int)
    targets[:, -1] = tokens[:, -1]
    grads, _ = oracle.gradients(tokens[:, :-1], targets, np.zeros((2, UNITS)))
    assert flow.weights == pytest.approx(np.sqrt(sum((grad**2).sum() for grad in grads)), rel=1e-4)


def test_small_weights_vanish_and_large_ones_explode():
    tokens = np.random.default_rng(1).integers(4, VOCAB, (1, 20))
    norms = {}
    for gain in (0.5, 4.0):
        model = make_model()
        embedding, kernel, recurrent, *others = model.get_weights()
        model.set_weights([embedding, kernel * 0.01, recurrent * gain, *others])
        norms[gain] = measure_gradient_flow(model, tokens).norms
    assert norms[0.5][-1] < 1e-4 * norms[0.5][0]
    assert norms[4.0][-1] > 10 * norms[4.0][0]


def test_clipping_scales_all_steps_alike():
    flow = GradientFlow(np.array([1.0, 2.0]), weights=10.0)
    np.testing.assert_allclose(flow.clipped(5.0), [0.5, 1.0])
    np.testing.assert_allclose(flow.clipped(20.0), [1.0, 2.0])
