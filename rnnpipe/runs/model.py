"""The trained model of a run."""

from pathlib import Path

import keras

import rnnpipe.layers  # noqa: F401  registers the layers, by which Keras finds them again
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.storage.atomic import atomic_path


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a model, wholly or not at all."""
    with atomic_path(path, durable=True) as unfinished:
        model.save(unfinished)


def load_model(run: RunDirectory) -> keras.Model:
    """The model that a run saved, ready to answer."""
    return keras.models.load_model(run.model, compile=False)


def load_baselines(run: RunDirectory) -> dict[str, keras.Model]:
    """The trained models that the run's own is compared with, by name."""
    paths = sorted(run.baselines.glob("*.keras"))
    return {path.stem: keras.models.load_model(path, compile=False) for path in paths}
