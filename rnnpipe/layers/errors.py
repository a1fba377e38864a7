"""The error of a layer with a wrong argument."""

from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.types import Shape, Tensor


def layer_error(layer: Any, expected: str, got: str, fix: str) -> UserError:
    """A `UserError` that names the layer.

    Args:
        layer: the layer with the wrong argument.
        expected: the valid values.
        got: the actual value.
        fix: how to correct it.

    Returns:
        An error that passes through Keras unchanged.
    """
    error = UserError(f"{type(layer).__name__} {layer.name!r}", expected, got, fix)
    # Keras rebuilds an exception that lacks this mark from its message alone, which would turn
    # one with several fields into a RuntimeError.
    error._keras_call_info_injected = True  # type: ignore[attr-defined]  # Keras' own mark
    return error


def shape_text(tensor: Tensor) -> str:
    """A tensor's static shape, e.g. `(None, 7, 16)`."""
    return str(tuple(tensor.shape))


def shapes_agree(actual: Shape, expected: Shape) -> bool:
    """Whether two static shapes can be equal; None agrees with any size."""
    return len(actual) == len(expected) and all(
        None in (a, e) or a == e for a, e in zip(actual, expected, strict=True)
    )
