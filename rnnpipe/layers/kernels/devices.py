"""The device on which the backend of Keras computes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras

_ANYWHERE = ContextVar("_ANYWHERE", default=False)


@contextmanager
def computing_anywhere() -> Iterator[None]:
    """Has graphs that are traced in this block compute on any device, whichever is here."""
    token = _ANYWHERE.set(True)
    try:
        yield
    finally:
        _ANYWHERE.reset(token)


def device_type() -> str:
    """The type of the backend's default device: `"cpu"`, `"gpu"` or `"tpu"`.

    Where graphs are traced for any device it is `"cpu"`.
    """
    if _ANYWHERE.get():
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
