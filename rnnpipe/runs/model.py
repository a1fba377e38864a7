"""The trained model of a run."""

import keras

import rnnpipe.layers  # noqa: F401  registers the layers, by which Keras finds them again
from rnnpipe.runs.directory import RunDirectory


def load_model(run: RunDirectory) -> keras.Model:
    """The model that a run saved, ready to answer."""
    return keras.models.load_model(run.model, compile=False)
