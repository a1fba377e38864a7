"""The device on which the backend of Keras computes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras

_PLACE: ContextVar[str | None] = ContextVar("_PLACE", default=None)


@contextmanager
def computing_anywhere() -> Iterator[None]:
    """Has graphs that are traced in this block compute on any device, whichever is here."""
    with _computing("anywhere"):
        yield


@contextmanager
def computing_here() -> Iterator[None]:
    """Has graphs that are traced in this block compute in this process alone.

    Kernels may compile parts of them by XLA, which exports do not support. Inside of a
    `computing_anywhere` it changes nothing.

    Example:
        >>> import numpy, tensorflow as tf
        >>> from rnnpipe.layers import LSTM
        >>> layer = LSTM(4)
        >>> @tf.function(autograph=False)
        ... def encode(sequences):
        ...     with computing_here():
        ...         return layer(sequences)
        >>> tuple(encode(numpy.zeros((2, 7, 3), "float32")).shape)
        (2, 4)
    """
    with _computing(_PLACE.get() or "here"):
        yield


@contextmanager
def _computing(place: str) -> Iterator[None]:
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


def declared_place() -> str | None:
    """`"anywhere"` or `"here"` where a block says so, or None."""
    return _PLACE.get()


def device_type() -> str:
    """The type of the backend's default device: `"cpu"`, `"gpu"` or `"tpu"`.

    Where graphs are traced for any device it is `"cpu"`.
    """
    if declared_place() == "anywhere":
        return "cpu"
    finders: dict[str, Callable[[], str]]
    finders = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    finder = finders.get(keras.backend.backend())
    return "cpu" if finder is None else finder()


def _tensorflow() -> str:
    import tensorflow as tf  # noqa: PLC0415  (only the backend in use is installed for sure)

    for kind in ("TPU", "GPU"):
        if tf.config.list_logical_devices(kind):
            return kind.lower()
    return "cpu"


def _jax() -> str:
    import jax  # noqa: PLC0415  (as above)

    platform: str = jax.default_backend()
    return "gpu" if platform in ("cuda", "rocm") else platform


def _torch() -> str:
    import torch  # noqa: PLC0415  (as above)

    return "gpu" if torch.cuda.is_available() else "cpu"
