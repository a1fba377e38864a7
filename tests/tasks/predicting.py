"""Predictors of tasks and models in tests."""

import pytest

from rnnpipe.errors import UserError


def make_predictor(task, model, records, folder):
    """The predictor of a model; what it needs beside that is saved in a folder."""
    vocabulary = folder / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    return task.make_predictor(vocabulary, task.make_network(model, vocabulary))


def check_scores(task, evaluation, predictor, records, split="test"):
    """The network of a predictor has those scores of an evaluation that need its answers alone."""
    scores = task.score(predictor.network, records, split)
    assert task.main_metric in scores
    expected = {name: evaluation.scores[name] for name in scores}
    assert scores == pytest.approx(expected, rel=1e-5, nan_ok=True)


def refused(predictor, **inputs):
    """The error of a row."""
    (result,) = predictor.predict([inputs])
    assert isinstance(result, UserError)
    return str(result)
