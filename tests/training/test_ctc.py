from itertools import groupby, product

import keras
import numpy as np
import pytest

from rnnpipe.models.speech_recognizer import IMPOSSIBLE
from rnnpipe.training.ctc import MeanCTCLoss

VOCAB, STEPS = 3, 4


@pytest.fixture
def logits():
    return np.random.default_rng(5).normal(size=(2, STEPS, VOCAB)).astype("float32")


def likelihood(logits, tokens):
    """The sum over all paths that collapse to the tokens."""
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return sum(
        np.prod(probabilities[np.arange(len(path)), path])
        for path in map(list, product(range(VOCAB), repeat=len(logits)))
        if [token for token, _ in groupby(path) if token] == tokens
    )


def test_it_is_the_likelihood_of_all_paths_for_each_token(logits):
    texts = [[1, 1], [2]]
    nats = -sum(np.log(likelihood(*pair)) for pair in zip(logits, texts, strict=True))
    tokens = np.array([[1, 1, 0], [2, 0, 0]])
    assert float(MeanCTCLoss()(tokens, logits)) == pytest.approx(nats / 3, rel=1e-5)
    assert float(MeanCTCLoss().count(tokens)) == 3


def test_steps_of_certain_blanks_add_nothing(logits):
    padding = np.full((2, 5, VOCAB), IMPOSSIBLE, "float32")
    padding[..., 0] = 0
    tokens = np.array([[1, 2], [2, 0]])
    alone = float(MeanCTCLoss()(tokens, logits))
    assert float(MeanCTCLoss()(tokens, np.concatenate([logits, padding], axis=1))) == pytest.approx(
        alone, rel=1e-5
    )


def test_a_text_without_a_path_adds_nothing_and_has_no_gradient(logits):
    tokens = np.array([[1, 1, 1, 0], [2, 0, 0, 0]])  # needs five steps
    nats = -np.log(likelihood(logits[1], [2]))
    variable = keras.Variable(logits)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = MeanCTCLoss()(tokens, variable)
    assert float(loss) == pytest.approx(nats / 4, rel=1e-5)
    gradient = tape.gradient(loss, variable.value).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[0] == 0).all()
    assert (gradient[1] != 0).any()
