"""Which devices the backend of Keras computes on."""

from collections.abc import Callable

import keras


def on_gpu() -> bool:
    """Whether the backend has a GPU."""
    finders: dict[str, Callable[[], bool]]
    finders = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    finder = finders.get(keras.backend.backend())
    return finder is not None and finder()


def _tensorflow() -> bool:
    import tensorflow as tf  # noqa: PLC0415  (only the backend in use is installed for sure)

    return bool(tf.config.list_logical_devices("GPU"))


def _jax() -> bool:
    import jax  # noqa: PLC0415  (as above)

    return any(device.platform in ("gpu", "cuda", "rocm") for device in jax.devices())


def _torch() -> bool:
    import torch  # noqa: PLC0415  (as above)

    return bool(torch.cuda.is_available())
