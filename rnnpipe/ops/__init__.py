"""Operations on tensors: those of Keras' backend, or the same of NumPy alone.

`from rnnpipe import ops` takes the place of `from keras import ops, tree` in code that has to run
without a backend of Keras too, e.g. in searches around an exported step. Keras has a backend for
NumPy, but it imports JAX.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

import numpy as np

_KERAS, _NUMPY = "keras", "rnnpipe.ops.numpy_ops"
_names = ContextVar("operations", default=_KERAS)


@contextmanager
def numpy_operations() -> Iterator[None]:
    """Computes in NumPy inside this block; neither Keras nor a backend of it is imported.

    Example:
        >>> from rnnpipe import ops
        >>> with numpy_operations():
        ...     ops.cast([1.5, 2.5], "int32")
        array([1, 2], dtype=int32)
    """
    token = _names.set(_NUMPY)
    try:
        with np.errstate(all="ignore"):  # as other backends: the logarithm of 0 is no mistake
            yield
    finally:
        _names.reset(token)


def argmax(values: Any, axis: int) -> Any:
    """The index of the first of the largest values, int32.

    That of Keras looks at the sign bit of zeros where values are floats, for which ONNX has no
    operation. Here 0 and -0 are equal, as in NumPy.

    Args:
        values: floats, at least one along the axis.
        axis: an axis.

    Example:
        >>> from rnnpipe import ops
        >>> ops.argmax(ops.array([[0.5, 2.0, 2.0]]), axis=-1).numpy()
        array([1], dtype=int32)
    """
    operations = import_module(_names.get())
    if operations.__name__ == _NUMPY:
        return operations.argmax(values, axis)
    ops = operations.ops
    # With `initial`, Keras lets batches of no rows pass.
    is_largest = values >= ops.max(values, axis=axis, keepdims=True, initial=-math.inf)
    return ops.argmax(ops.cast(is_largest, "int32"), axis=axis)


def __getattr__(name: str) -> Any:
    """An operation of `keras.ops`, `tree`, or a function of `keras.random`, by its name."""
    if name.startswith("__"):
        raise AttributeError(name)
    module = import_module(_names.get())
    holder = module if module.__name__ == _NUMPY or name in ("tree", "random") else module.ops
    return getattr(holder, name)
