"""Why no kernel serves a layer, in words."""

from collections.abc import Mapping
from typing import Any

import keras

from rnnpipe.layers.kernels.devices import device_type

DEVICES: dict[str, dict[str, tuple[str, ...]]] = {
    "recurrent_kernel": {
        "tensorflow": ("cpu",),
        "jax": ("cpu", "gpu", "tpu"),
        "torch": ("cpu", "gpu"),
    },
    "decoder_kernel": {"tensorflow": ("cpu",)},
    "log_likelihood": {"tensorflow": ("cpu",)},
    "ctc_loss": {"tensorflow": ("cpu",)},
}
"""By name of a kernel, the backends whose package has it, each with the devices it is for."""


def first_obstacle(obstacles: Mapping[str, bool]) -> str | None:
    """The first that is present, or None."""
    return next((text for text, present in obstacles.items() if present), None)


def place_obstacle(kernel: str) -> str | None:
    """Why there is no such kernel where the backend of Keras computes, or None where there is.

    Args:
        kernel: its name, a key of `DEVICES`.
    """
    backend, device = keras.backend.backend(), device_type()
    devices = DEVICES[kernel].get(backend, ())
    names = " and ".join(f"{name.upper()}s" for name in devices)
    return first_obstacle(
        {
            f"there is no {kernel.replace('_', ' ')} for the backend {backend}": not devices,
            f"kernels are for {names}, and the device is a {device.upper()}": device not in devices,
        }
    )


def precision_obstacle(layer: Any) -> str | None:
    """Why kernels do not compute in the dtypes of a layer, or None if they do.

    They do in float32, float64, and under `mixed_bfloat16` and `mixed_float16`: weights and inputs
    are rounded then as Keras does it, and the loop computes in float32.
    """
    computes, keeps = layer.compute_dtype, layer.variable_dtype
    if computes == keeps:
        return None if computes in ("float32", "float64") else f"it computes in {computes}"
    is_mixed = computes in ("bfloat16", "float16") and keeps == "float32"
    return None if is_mixed else f"it computes in {computes} with weights of {keeps}"


def explain(model: keras.layers.Layer) -> dict[str, str]:
    """What runs each layer of a model that a kernel exists for, and why none does.

    Args:
        model: a built model, or a built layer.

    Returns:
        By path of each LSTM, GRU, vanilla RNN and attention decoder: `"kernel"`, `"cuDNN"`, or the
        reason why it runs step by step. Masks and dropout of a call may add reasons.

    Example:
        >>> from rnnpipe.layers import GRU, LSTM
        >>> lower, upper = LSTM(4, return_sequences=True), GRU(4, activation="relu")
        >>> layers = [keras.Input((None, 3)), lower, upper]
        >>> list(explain(keras.Sequential(layers)).values())
        ['kernel', 'its activation is not tanh']
    """
    found = {}
    for layer in model._flatten_layers():
        if hasattr(layer, "kernel_obstacle"):
            served_by = getattr(layer, "served_by_cudnn", bool)()
            found[layer.path] = "cuDNN" if served_by else layer.kernel_obstacle() or "kernel"
    return found
