"""The operations of `keras.ops` that decoding needs, on NumPy arrays."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import optree
from numpy import (  # noqa: F401  # what NumPy and Keras both have
    any,  # noqa: A004
    arange,
    argsort,
    broadcast_to,
    clip,
    concatenate,
    equal,
    exp,
    full,
    full_like,
    isnan,
    less,
    less_equal,
    log,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    max,  # noqa: A004
    maximum,
    minimum,
    not_equal,
    ones_like,
    pad,
    repeat,
    reshape,
    shape,
    sort,
    stack,
    take,
    take_along_axis,
    transpose,
    where,
    zeros,
    zeros_like,
)
from numpy import asarray as convert_to_numpy  # noqa: F401

Array = Any
"""An array, or what NumPy makes one of."""


def convert_to_tensor(values: Array, dtype: str | None = None) -> Array:
    """An array; of numbers of Python one of 32 bits, as Keras makes them."""
    array = np.asarray(values, dtype)
    if dtype is None and not isinstance(values, np.ndarray | np.generic):
        narrow = {"f": "float32", "i": "int32"}.get(array.dtype.kind)
        return array if narrow is None else array.astype(narrow)
    return array


array = convert_to_tensor


def cast(values: Array, dtype: str) -> Array:
    """The values as another dtype."""
    return np.asarray(values).astype(dtype)


def dtype(values: Array) -> str:
    """The name of the dtype."""
    return str(np.asarray(values).dtype)


def sum(values: Array, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The sum in the dtype of the values, which NumPy would widen."""
    return np.sum(values, axis=axis, keepdims=keepdims, dtype=_of_sums(values))


def cumsum(values: Array, axis: int) -> Array:
    """The cumulative sum in the dtype of the values."""
    return np.cumsum(values, axis=axis, dtype=_of_sums(values))


def _of_sums(values: Array) -> Any:
    values_dtype = np.asarray(values).dtype
    return np.dtype("int32") if values_dtype.kind == "b" else values_dtype


def argmax(values: Array, axis: int) -> Array:
    """The index of the first of the largest values, int32."""
    return np.argmax(values, axis=axis).astype("int32")


def one_hot(values: Array, classes: int, dtype: str = "float32") -> Array:
    """Ones at the values and zeros elsewhere, on a new last axis."""
    return (np.asarray(values)[..., None] == np.arange(classes)).astype(dtype)


def log_softmax(logits: Array, axis: int = -1) -> Array:
    """The logarithms of the probabilities."""
    shifted = logits - np.max(logits, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def logsumexp(values: Array, axis: int) -> Array:
    """The logarithm of the sum of the exponentials."""
    largest = np.max(values, axis=axis, keepdims=True)
    finite = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
    return np.log(np.sum(np.exp(values - finite), axis=axis)) + np.squeeze(finite, axis)


def top_k(values: Array, k: int) -> tuple[Array, Array]:
    """The k largest values of the last axis, the largest first, and their indices.

    Of equal values the first come first.
    """
    order = np.argsort(-values, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(values, order, axis=-1), order.astype("int32")


def slice_update(values: Array, start: Sequence[int], update: Array) -> Array:
    """The values with an update from the indices `start` on."""
    updated = values.copy()
    updated[tuple(slice(at, at + size) for at, size in zip(start, update.shape, strict=True))] = (
        update
    )
    return updated


def scatter(indices: Array, values: Array, sizes: Sequence[int]) -> Array:
    """Zeros of these sizes, to which values are added at indices, `(values, axes)`."""
    scattered = np.zeros(sizes, values.dtype)
    np.add.at(scattered, tuple(np.moveaxis(indices, -1, 0)), values)
    return scattered


def scatter_update(values: Array, indices: Array, updates: Array) -> Array:
    """The values with updates at indices, `(updates, axes)`."""
    updated = values.copy()
    updated[tuple(np.moveaxis(indices, -1, 0))] = updates
    return updated


def while_loop(
    condition: Callable[..., Any], body: Callable[..., Any], variables: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The variables once the condition does not hold."""
    while condition(*variables):
        variables = body(*variables)
    return variables


def scan(
    function: Callable[..., Any], carry: tuple[Array, ...], inputs: Array
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The carry after all steps of the inputs' first axis, and the outputs of the steps, stacked.

    As Keras has it for TensorFlow, the outputs of a step are like the carry.
    """
    stacked = tuple(np.zeros((len(inputs), *part.shape), part.dtype) for part in carry)
    for at, step in enumerate(inputs):
        carry, outputs = function(carry, step)
        for whole, output in zip(stacked, outputs, strict=True):
            whole[at] = output
    return carry, stacked


def _map(function: Callable[..., Any], *trees: Any) -> Any:
    return optree.tree_map(function, *trees, none_is_leaf=True)


def _flatten(tree: Any) -> list[Any]:
    leaves: list[Any] = optree.tree_leaves(tree, none_is_leaf=True)
    return leaves


def _assert_same_structure(first: Any, second: Any) -> None:
    structures = [optree.tree_structure(tree, none_is_leaf=True) for tree in (first, second)]
    if structures[0] != structures[1]:
        raise ValueError(f"{structures[0]} is not {structures[1]}")


tree = SimpleNamespace(
    map_structure=_map, flatten=_flatten, assert_same_structure=_assert_same_structure
)
"""The functions of `keras.tree` for nested arrays."""
