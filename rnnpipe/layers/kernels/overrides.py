"""Whether a layer computes what its class in Keras or in this package does."""

import functools
from typing import Any

import keras

# What a subclass may change without changing what a built layer computes.
_NO_EQUATION = {
    "__init__",
    "__init_subclass__",
    "__new__",
    "build",
    "from_config",
    "get_config",
    "get_initial_state",
    "quantize",
}


def is_overridden(layer: Any, base: type) -> bool:
    """Whether a layer is not a `base`, or replaces a method of it, as a class or by itself.

    A kernel has the equations of `base`, and so serves only layers that keep all of its methods.

    Args:
        layer: any object.
        base: a class of layers.

    Example:
        >>> from rnnpipe.layers import LSTMCell
        >>> is_overridden(LSTMCell(4), keras.layers.LSTMCell)
        False
        >>> class Identity(LSTMCell):
        ...     def call(self, inputs, states, training=False):
        ...         return states[0], states
        >>> is_overridden(Identity(4), keras.layers.LSTMCell)
        True
    """
    if not isinstance(layer, base):
        return True
    kind, own = type(layer), vars(layer)
    return any(
        name in own or getattr(kind, name) is not getattr(base, name) for name in _methods(base)
    )


@functools.cache
def _methods(base: type) -> frozenset[str]:
    """The names of the functions that a class and its bases up to Keras' `Layer` define."""
    kinds = base.__mro__[: base.__mro__.index(keras.layers.Layer)]
    names = {name for kind in kinds for name, value in vars(kind).items() if callable(value)}
    return frozenset({*names, "__call__"} - _NO_EQUATION)
