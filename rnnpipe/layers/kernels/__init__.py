"""Fast recurrences, a file per backend, equal to the plain path in outputs and gradients.

A kernel takes `(sequences, mask, weights, states, training)`: sequences `(batch, time, features)`,
a boolean mask `(batch, time)` or None, the weights (input kernel, input bias or None, recurrent
weights), the first states, each `(batch, units)`, and whether gradients are likely to be asked
for. It returns the first state of every step, `(batch, time, units)`, and the list of last states.
Masked steps pass every state on.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import keras

from rnnpipe.layers.kernels.devices import on_gpu

__all__ = ["Kernel", "find_kernel", "on_gpu"]

Kernel = Callable[..., tuple[Any, list[Any]]]


@functools.cache
def find_kernel(recurrence: str, units: int) -> Kernel | None:
    """The fast form of a recurrence (`"lstm"`, `"gru"`, `"vanilla"`) on this backend and device.

    Returns:
        None where Keras' own way is the best there is: another backend, or a GPU with cuDNN.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    module = importlib.import_module("rnnpipe.layers.kernels.tensorflow")
    return module.make_kernel(recurrence, units) if module.on_cpu() else None
