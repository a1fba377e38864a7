"""Initializers of weights."""

from typing import Any


def draw_anew(initializer: Any) -> Any:
    """The same initializer with draws of its own, for each further weight that it is used for.

    An initializer of Keras draws the same numbers at every call. Weights that share one would begin
    with the same numbers, and equal shapes as equal weights. Keras' own layers copy it for the same
    reason; one with a seed draws the same numbers as a copy too.

    Args:
        initializer: what `keras.initializers.get` returns.
    """
    clone = getattr(initializer, "clone", None)
    return initializer if clone is None else clone()
