"""Checks of the arguments of a recurrent layer."""

from collections.abc import Sequence
from typing import Any

import keras

from rnnpipe.layers.errors import (
    check_state_shapes,
    is_count,
    layer_error,
    shape_text,
    shapes_agree,
)
from rnnpipe.types import Nested, Tensor

CONNECTIONS = (None, "residual", "highway")


def check_shape(layer: Any, shape: tuple[Any, ...]) -> None:
    """Checks the static shape of sequences: rank, features, and the batch size if stateful."""
    # A cell of the user's own may have no kernel.
    kernel = getattr(layer.cell, "kernel", None)
    features = None if kernel is None else kernel.shape[0]
    expected = f"sequences of shape (batch, time, {features or 'features'})"
    if len(shape) != 3:
        fix = "make every step a vector of features, e.g. by an Embedding"
        raise layer_error(layer, expected, str(shape), fix)
    if features is not None and shape[-1] not in (None, features):
        fix = "pass as many features as it was built for, or make a new layer"
        raise layer_error(layer, expected, str(shape), fix)
    if layer.stateful:
        check_batch(layer, shape)


def check_batch(layer: Any, shape: tuple[Any, ...]) -> None:
    """Checks that the batch size is one that a stateful layer can keep states for."""
    if layer.states is None and shape[0] is None:
        expected, fix = "a fixed batch size", "set it, e.g. keras.Input(batch_shape=...)"
        raise layer_error(layer, f"{expected}, since stateful=True", str(shape), fix)
    if layer.states and shape[0] not in (None, layer.states[0].shape[0]):
        expected = f"a batch size of {layer.states[0].shape[0]}, that of the states it keeps"
        raise layer_error(
            layer, expected, str(shape), "pass batches of one size, or make a new layer"
        )


def check_sequences(layer: Any, sequences: Tensor) -> None:
    """Checks the dtype and the shape of the sequences of a call."""
    check_numbers(layer, "sequences", sequences)
    shape = tuple(sequences.shape)
    check_shape(layer, shape)
    if layer.unroll and shape[1] is None:
        fix = "fix the length in keras.Input, or leave out unroll=True"
        raise layer_error(layer, "a fixed length, since unroll=True", str(shape), fix)


def check_numbers(layer: Any, name: str, *tensors: Any) -> None:
    """Checks that tensors are of a dtype that can be computed with."""
    for tensor in tensors:
        dtype = str(getattr(tensor, "dtype", type(tensor).__name__))
        if not any(kind in dtype for kind in ("float", "int", "bool")):
            fix = "convert them to numbers first"
            raise layer_error(layer, f"{name} of numbers", f"dtype {dtype}", fix)


def check_states(layer: Any, sequences: Tensor, initial_state: Nested[Tensor]) -> None:
    """Checks the count, shapes and dtypes of first states."""
    states = initial_state if isinstance(initial_state, Sequence) else [initial_state]
    check_numbers(layer, "initial_state", *states)
    expected = [(sequences.shape[0], size) for size in layer.state_size]
    fix = "pass the states that return_state=True returns, in their order"
    check_state_shapes(layer, states, expected, fix)


def check_mask(layer: Any, sequences: Tensor, mask: Tensor) -> None:
    """Checks the shape and dtype of a mask."""
    check_numbers(layer, "a mask", mask)
    if not shapes_agree(mask.shape, sequences.shape[:2]):
        raise layer_error(
            layer,
            f"a mask of shape (batch, time) = {tuple(sequences.shape[:2])}",
            shape_text(mask),
            "pass one boolean for each step, False at padding",
        )


def check_state_sizes(layer: Any, sizes: Any, source: str) -> None:
    """Checks sizes of states: a sequence of positive integers, at least one.

    Args:
        layer: the layer that takes them.
        sizes: the sizes.
        source: what to pass in their place.
    """
    fits = isinstance(sizes, Sequence) and len(sizes) > 0
    if not fits or not all(map(is_count, sizes)):
        got = str(list(sizes)) if isinstance(sizes, Sequence) else repr(sizes)
        raise layer_error(layer, "a list of positive sizes", got, f"pass {source}")


def check_stack(
    stack: Any, layer: Any, depth: int, connection: str | None, learned_state: bool
) -> None:
    """Checks the options of a `RecurrentStack`, and that it stacks a recurrent layer."""
    is_recurrent = hasattr(layer, "return_sequences") and hasattr(layer, "return_state")
    if not is_recurrent or isinstance(layer, keras.layers.Bidirectional):
        fix = "pass e.g. GRU(256), or keras.layers.RNN(cell) around a cell"
        if is_recurrent:
            fix = "pass the layer in it, and bidirectional=True"
        raise layer_error(stack, "a recurrent layer", repr(layer), fix)
    if not is_count(depth):
        raise layer_error(stack, "a depth of at least 1", str(depth), "write e.g. depth=2")
    if connection not in CONNECTIONS:
        raise layer_error(stack, f"a connection of {CONNECTIONS}", repr(connection), "choose one")
    if connection and depth > 1 and not layer.return_sequences:
        raise layer_error(
            stack,
            f"a layer with return_sequences=True for {connection} connections",
            "return_sequences=False",
            "set it, and take the last step afterwards",
        )
    if learned_state and getattr(layer, "stateful", False):
        expected, got = "first states that are either learned or kept", "both"
        raise layer_error(stack, expected, got, "leave out learned_state, or stateful=True")


def check_time_reduction(
    stack: Any, reduction: int, depth: int, connection: str | None, go_backwards: bool
) -> None:
    """Checks that a `RecurrentStack` can make its sequences shorter between its layers."""
    if not is_count(reduction):
        expected, fix = "a time_reduction of at least 1", "write e.g. time_reduction=2"
        raise layer_error(stack, expected, str(reduction), fix)
    if reduction == 1:
        return
    others = {
        "one layer": (depth == 1, "raise depth"),
        f"a {connection} connection": (connection, "leave one of both out"),
        "go_backwards=True": (go_backwards, "reverse the sequences beforehand"),
    }
    for got, (is_wrong, fix) in others.items():
        if is_wrong:
            expected = f"a time_reduction of 1 with {got}"
            raise layer_error(stack, expected, str(reduction), fix)
