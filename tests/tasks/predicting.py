"""Predictors of tasks and models in tests."""

from rnnpipe.errors import UserError


def make_predictor(task, model, records, folder):
    """The predictor of a model; what it needs beside that is saved in a folder."""
    vocabulary = folder / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    return task.make_predictor(vocabulary, task.make_network(model, vocabulary))


def refused(predictor, **inputs):
    """The error of a row."""
    (result,) = predictor.predict([inputs])
    assert isinstance(result, UserError)
    return str(result)
