"""The error of a layer with a wrong argument, and what arguments are checked for."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeGuard

from rnnpipe.errors import UserError
from rnnpipe.types import Shape, Tensor

# What Keras puts before the text of an error in a symbolic call, as it rebuilds it.
_KERAS_PREFIX = "Error encountered:\n\n"


class LayerError(UserError):
    """A `UserError` of a layer, whose text is the same in eager and in symbolic calls."""

    def __init__(self, where: str, expected: str = "", got: str = "", fix: str = "") -> None:
        super().__init__(where.rpartition(_KERAS_PREFIX)[2], expected, got, fix)
        # Without this mark of its own, Keras adds the arguments of the call to the text.
        self._keras_call_info_injected = True


def layer_error(layer: Any, expected: str, got: str, fix: str) -> LayerError:
    """A `UserError` that names the layer.

    Args:
        layer: the layer with the wrong argument.
        expected: the valid values.
        got: the actual value.
        fix: how to correct it.

    Returns:
        An error that passes through Keras unchanged.
    """
    return LayerError(f"{type(layer).__name__} {layer.name!r}", expected, got, fix)


def is_count(value: Any) -> bool:
    """Whether a value is a positive integer, of Python or of NumPy."""
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 1


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a real number, of Python or of NumPy, and neither NaN nor infinite."""
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def shape_text(tensor: Tensor) -> str:
    """A tensor's static shape, e.g. `(None, 7, 16)`."""
    return str(tuple(tensor.shape))


def shapes_agree(actual: Shape, expected: Shape) -> bool:
    """Whether two static shapes can be equal; None agrees with any size."""
    return len(actual) == len(expected) and all(
        None in (a, e) or a == e for a, e in zip(actual, expected, strict=True)
    )


def check_state_shapes(layer: Any, states: Sequence[Tensor], expected: list[Any], fix: str) -> None:
    """Checks the count and the static shapes of first states.

    Args:
        layer: the layer that takes them.
        states: the states, in its order.
        expected: the shape of each, None for any size.
        fix: what to pass instead.
    """
    shapes = [tuple(getattr(state, "shape", ())) for state in states]
    if len(states) != len(expected) or not all(map(shapes_agree, shapes, expected)):
        raise layer_error(
            layer,
            f"initial_state of {len(expected)} tensors of shapes {expected}",
            f"{len(states)} of {shapes}",
            fix,
        )
