"""Logits that are NaN show in the scores, whatever searches."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import RowwiseStep, beam_search, ensemble, greedy_search, sample

VOCAB = 6
GOOD = np.log([0.01, 0.01, 0.01, 0.17, 0.5, 0.3]).astype("float32")

SEARCHES = {
    "greedy": greedy_search,
    "sample": lambda step, state, **options: sample(step, state, seed=1, **options),
    "beam": lambda step, state, **options: beam_search(
        step, state, beam_width=3, n_best=2, **options
    ),
    "groups": lambda step, state, **options: beam_search(
        step, state, beam_width=4, n_best=2, groups=2, **options
    ),
    "phrases": lambda step, state, **options: beam_search(
        step, state, beam_width=3, required_phrases=[[[5]]] * len(state), **options
    ),
}
every_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
WRONG = {
    "NaN": np.where(np.arange(VOCAB) == 2, np.nan, GOOD),
    "infinite": np.where(np.arange(VOCAB) == 4, np.inf, GOOD),
    "nothing possible": np.full(VOCAB, -np.inf, "float32"),
}


def goes_wrong(wrong, *, at):
    """A step whose logits are wrong at one time in the rows whose state begins with 1."""

    def step(tokens, state):
        is_wrong, t = state[:, 0], state[:, 1]
        here = ops.logical_and(is_wrong > 0, t == at)
        logits = ops.where(here[:, None], np.asarray(wrong, "float32"), GOOD)
        return logits, ops.stack([is_wrong, t + 1], axis=1)

    return step


@every_search
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("wrap", [lambda step: step, RowwiseStep], ids=["step", "rowwise"])
@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_the_score_of_such_a_row_alone_is_nan(search, wrong, at, wrap, run):
    state = np.array([[0, 0], [1, 0], [0, 0]], "float32")
    found = run(lambda: search(wrap(goes_wrong(wrong, at=at)), state, max_length=4))()
    good = search(goes_wrong(GOOD, at=at), state, max_length=4)
    scores = np.asarray(found.scores)
    assert np.all(np.isnan(scores[1]))
    np.testing.assert_allclose(scores[[0, 2]], np.asarray(good.scores)[[0, 2]], rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(found.ids)[[0, 2]], np.asarray(good.ids)[[0, 2]])


def test_a_beam_has_no_sequence_of_such_a_row():
    step = goes_wrong(WRONG["NaN"], at=1)
    found = beam_search(step, np.ones((1, 2), "float32") * [1, 0], beam_width=3, max_length=4)
    assert np.asarray(found.lengths).tolist() == [[0]]


def test_one_such_model_of_an_ensemble_shows():
    steps = [goes_wrong(GOOD, at=0), goes_wrong(WRONG["NaN"], at=0)]
    state = np.array([[1, 0]], "float32")
    found = beam_search(ensemble(steps), (state, state), beam_width=2, max_length=3)
    assert np.all(np.isnan(found.scores))
