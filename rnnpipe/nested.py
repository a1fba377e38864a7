"""Rows of nested tensors: repeated and selected, tensor by tensor."""

from rnnpipe import ops
from rnnpipe.types import Nested, Tensor


def repeat_rows(tensors: Nested[Tensor], repeats: int) -> Nested[Tensor]:
    """Repeats each row: `(batch, ...)` to `(batch * repeats, ...)`.

    Args:
        tensors: nested tensors `(batch, ...)`.
        repeats: how many copies of a row follow one another.

    Example:
        >>> repeat_rows(ops.array([1, 2]), 2).numpy().tolist()
        [1, 1, 2, 2]
    """

    def repeat(tensor: Tensor) -> Tensor:
        tensor = ops.convert_to_tensor(tensor)
        repeated = ops.repeat(tensor[:, None], repeats, axis=1)
        return ops.reshape(repeated, (-1, *ops.shape(tensor)[1:]))

    return ops.tree.map_structure(repeat, tensors)


def select_rows(tensors: Nested[Tensor], rows: Tensor, axis: int = 0) -> Nested[Tensor]:
    """Selects rows of each tensor.

    Args:
        tensors: nested tensors `(batch, ...)`.
        rows: indices `(rows,)`.
        axis: which axis the rows are on.
    """
    return ops.tree.map_structure(lambda tensor: ops.take(tensor, rows, axis=axis), tensors)


def is_empty(tensors: Nested[Tensor]) -> bool:
    """Whether this is the empty tuple, which stands for no tensor inside a loop."""
    return isinstance(tensors, tuple) and not tensors
