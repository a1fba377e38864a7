"""The precision that a model is trained in, and saved models in full precision."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import keras

Precision = Literal["float32", "bfloat16", "float16"]

_CONFIG = "config.json"  # of a Keras archive: what its layers are made of


@contextmanager
def training_in(precision: Precision) -> Iterator[None]:
    """Layers and trainers that are made within compute in a precision; their weights are float32.

    Optimizers that options make within scale the loss in float16, so that gradients do not vanish.

    Args:
        precision: `float32` leaves everything as it is.

    Example:
        >>> with training_in("bfloat16"):
        ...     layer = keras.layers.Dense(2)
        >>> layer.compute_dtype, layer.variable_dtype, keras.layers.Dense(2).compute_dtype
        ('bfloat16', 'float32', 'float32')

    Source: Micikevicius et al., Mixed Precision Training, 2018.
    """
    if precision == "float32":
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def as_float32(outputs: Any) -> Any:
    """Outputs of half precision as float32, for losses and metrics; all others as they are.

    Args:
        outputs: any structure of tensors, or of None.
    """

    def cast(value: Any) -> Any:
        halves = ("bfloat16", "float16")
        is_half = keras.backend.standardize_dtype(value.dtype) in halves
        return keras.ops.cast(value, "float32") if is_half else value

    return keras.tree.map_structure(lambda value: value if value is None else cast(value), outputs)


def save_in_full_precision(model: keras.Model, path: Path) -> None:
    """Saves a model such that it computes in float32 once it is loaded, however it was trained.

    Args:
        model: a model, whose weights are float32.
        path: the file, an archive of Keras.
    """
    model.save(path)
    if not any(layer.compute_dtype != layer.variable_dtype for layer in _layers(model)):
        return
    with zipfile.ZipFile(path) as archive:
        files = {info: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in files.items():
            is_config = info.filename == _CONFIG
            archive.writestr(info, _full_precision_json(content) if is_config else content)


def _layers(model: keras.Model) -> Iterator[Any]:
    for layer in model._flatten_layers():  # Keras lists inner layers nowhere else
        if layer is not model:
            yield layer


def _full_precision_json(content: bytes) -> bytes:
    return json.dumps(_in_full_precision(json.loads(content))).encode()


def _in_full_precision(config: Any) -> Any:
    """A serialised object whose mixed policies are float32."""
    if isinstance(config, list):
        return [_in_full_precision(part) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        name = config["config"]["name"]
        return {**config, "config": {"name": "float32"}} if name.startswith("mixed_") else config
    return {key: _in_full_precision(part) for key, part in config.items()}
