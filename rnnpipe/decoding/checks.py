"""Checks of the arguments of all decoding strategies."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from rnnpipe import ops
from rnnpipe.errors import UserError
from rnnpipe.types import Nested, Tensor
from rnnpipe.values import known_values


def check_count(name: str, count: Any, example: str, minimum: int = 1) -> None:
    """Checks that a count is a whole number, and not below the minimum."""
    if isinstance(count, bool) or not isinstance(count, Integral) or int(count) < minimum:
        expected = f"a whole number, at least {minimum}"
        raise UserError(name, expected, repr(count), f"write {example}")


def is_real(number: Any) -> bool:
    """Whether this is a real number, of Python or of NumPy, and neither NaN nor infinite."""
    is_number = isinstance(number, Real) and not isinstance(number, bool)
    return is_number and math.isfinite(number)


def check_tokens(name: str, tokens: Any, vocab: int) -> None:
    """Checks that tokens are in the vocabulary; those of a graph are not known yet."""
    values = known_values(tokens)
    if values is None or not values.size:
        return
    if values.dtype.kind not in "iu":
        fix = "pass ids of the vocabulary"
        raise UserError(name, "integers", f"{values.dtype}", fix)
    outside = np.unique(values[(values < 0) | (values >= vocab)]).tolist()
    if outside:
        expected = f"tokens of the vocabulary, 0 to {vocab - 1}"
        raise UserError(name, expected, str(outside), "pass ids of this vocabulary")


def check_lengths(max_length: int, end: Any, vocab: int | None = None) -> None:
    """Checks the maximum length and the end token."""
    check_count("max_length", max_length, "e.g. max_length=50")
    if isinstance(end, bool) or not isinstance(end, Integral):
        fix = "pass the model's end token; for several, let the step join their probabilities"
        raise UserError("end", "one token", repr(end), fix)
    if int(end) < 0 or (vocab is not None and int(end) >= vocab):
        upper = "the vocabulary" if vocab is None else f"the vocabulary, 0 to {vocab - 1}"
        raise UserError("end", f"a token of {upper}", str(end), "pass the model's end token")


def check_state(state: Nested[Tensor]) -> None:
    """Checks that a state has tensors alone, each with an axis of rows."""
    for tensor in ops.tree.flatten(state):
        shape = getattr(tensor, "shape", None)
        if shape is None or len(shape) == 0:
            got = type(tensor).__name__ if shape is None else "a scalar"
            fix = "leave out what is None; what does not change may stay outside of the state"
            raise UserError("state", "nested tensors (batch, ...)", got, fix)


def start_tokens(start: Any, state: Nested[Tensor]) -> Tensor:
    """The start tokens as `(batch,)` int32; a single one is repeated for each row of the state."""
    check_state(state)
    try:
        start = ops.convert_to_tensor(start)
    except (TypeError, ValueError) as error:
        raise UserError("start", "tokens", repr(start), "pass one, or one for each row") from error
    dtype = ops.dtype(start)
    if "int" not in dtype:
        raise UserError("start", "integers", dtype, "pass ids of the vocabulary")
    start = ops.cast(start, "int32")
    if len(start.shape) > 1:
        expected, fix = "a token, or one for each row (batch,)", "drop the last axis"
        raise UserError("start", expected, str(tuple(start.shape)), fix)
    tensors = ops.tree.flatten(state)
    if len(start.shape) == 1:
        rows = {tensor.shape[0] for tensor in tensors} - {None}
        if start.shape[0] is not None and rows - {start.shape[0]}:
            expected = f"a token for each of the {min(rows)} rows of the state"
            raise UserError("start", expected, f"{start.shape[0]} tokens", "pass one, or as many")
        return start
    if not tensors:
        expected = "tokens (batch,), as an empty state has no batch axis"
        raise UserError("start", expected, "a single token", "repeat it for each row")
    return ops.broadcast_to(start, (ops.shape(tensors[0])[0],))


def length_limits(max_lengths: Any, max_length: int, rows: int | None) -> Any:
    """The maximum length of each row, `(batch,)`, or `max_length` itself if it holds for all.

    Args:
        max_lengths: `(batch,)` integers, or None; values above `max_length` are lowered to it.
        max_length: the maximum length of all rows.
        rows: the size of the batch, if it is known.

    Raises:
        UserError: if there is not one number for each row, or one of them is below 1.
    """
    if max_lengths is None:
        return int(max_length)
    fix = "pass the maximum length of each row"
    is_list = isinstance(max_lengths, Sequence)
    if not is_list and not hasattr(max_lengths, "shape"):
        raise UserError("max_lengths", "a length for each row", repr(max_lengths), fix)
    values = known_values(max_lengths)
    shape = tuple(np.shape(max_lengths) if is_list else max_lengths.shape)
    if len(shape) != 1 or (None not in (rows, shape[0]) and rows != shape[0]):
        expected = "(batch,)" if rows is None else f"({rows},), one for each row of the batch"
        raise UserError("max_lengths", expected, str(shape), fix)
    if values is not None and values.size:
        if values.dtype.kind not in "iu":
            raise UserError("max_lengths", "integers", f"{values.dtype}", fix)
        if values.min() < 1:
            raise UserError("max_lengths", "lengths of at least 1", str(values.min()), fix)
    return ops.clip(ops.cast(max_lengths, "int32"), 1, max_length)
