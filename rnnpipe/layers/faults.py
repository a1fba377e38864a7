"""How a layer tells a user's mistake: the layer's name, what was expected, what came."""

from typing import Any

from rnnpipe.errors import UserError


def fault(layer: Any, expected: str, got: str, fix: str) -> UserError:
    """The error to raise for a wrong argument of a layer.

    Args:
        layer: the layer that was called.
        expected: what would have been right.
        got: what came.
        fix: what to do about it.

    Returns:
        A `UserError` that passes through Keras as it is.
    """
    error = UserError(f"{type(layer).__name__} {layer.name!r}", expected, got, fix)
    # Keras rebuilds an exception that lacks this mark from its message alone, which would turn
    # one with several fields into a RuntimeError.
    error._keras_call_info_injected = True  # type: ignore[attr-defined]  # Keras' own mark
    return error


def shape_text(tensor: Any) -> str:
    """A tensor's static shape, e.g. `(None, 7, 16)`."""
    return str(tuple(tensor.shape))


def shapes_agree(actual: Any, expected: Any) -> bool:
    """Whether two static shapes can be equal; None agrees with any size."""
    return len(actual) == len(expected) and all(
        None in (a, e) or a == e for a, e in zip(actual, expected, strict=True)
    )
