"""Types of tensor code, for annotations; importing them imports no backend."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar, Union

T = TypeVar("T")

Tensor: TypeAlias = Any
"""A tensor of the backend, a `keras.KerasTensor` or a NumPy array; Keras ships no type for them."""

Shape: TypeAlias = Sequence[Any]
"""A static shape: the size of each axis, or None where it is not known."""

Nested: TypeAlias = Union[T, Any]  # noqa: UP007  (`T | Any` cannot be subscripted)
"""`Nested[Tensor]`: a tensor, or tuples, lists and dicts of them, nested in any way."""
