"""Batch compaction: a loop over rows that goes on with half of them once half have ended."""

from typing import Any, Protocol

from rnnpipe import ops
from rnnpipe.decoding.step import Step
from rnnpipe.types import Nested, Tensor

MAX_COMPACTIONS = 2  # each makes the graph longer by a step; further ones gain little


class Search(Protocol):
    """A search over rows; its carry is what one step passes to the next."""

    def active(self, carry: Any) -> Tensor:
        """Which rows have not ended, `(rows,)`."""

    def advance(self, t: Tensor, carry: Any) -> Any:
        """The carry after a step."""

    def select_rows(self, rows: Tensor) -> "Search":
        """The same search over these rows `(rows,)` alone."""

    def select_carry(self, carry: Any, rows: Tensor) -> Any:
        """The carry of these rows `(rows,)` alone."""

    def finish(self, carry: Any) -> Nested[Tensor]:
        """The result, tensors `(rows, ...)`."""


def can_compact(step: Step) -> bool:
    """Whether a step can be restricted to some of its rows."""
    return callable(getattr(step, "select_rows", None))


def run(search: Search, t: Tensor, carry: Any, *, compact: bool) -> Nested[Tensor]:
    """Runs a search until all rows have ended, and returns its result.

    Args:
        search: a search in which each row ends at some step, whatever the others do.
        t: how many steps have been done.
        carry: what they have left.
        compact: whether to drop rows that have ended.
    """
    return _run(search, t, carry, MAX_COMPACTIONS if compact else 0)


def _run(search: Search, t: Tensor, carry: Any, compactions: int) -> Nested[Tensor]:
    count = ops.shape(search.active(carry))[0]
    compactions = 0 if isinstance(count, int) and count < 2 else compactions
    rest = count // 2 if compactions else 0

    def more_than_rest(t: Tensor, carry: Any) -> Tensor:
        del t
        return ops.sum(ops.cast(search.active(carry), "int32")) > rest

    def body(t: Tensor, carry: Any) -> tuple[Tensor, Any]:
        return t + 1, search.advance(t, carry)

    t, carry = ops.while_loop(more_than_rest, body, (t, carry))
    results = search.finish(carry)
    if not compactions:
        return results
    order = ops.argsort(ops.cast(search.active(carry), "int32"))
    rows = ops.cast(order[count - rest :], "int32")  # all active ones, and some that have ended
    later = _run(search.select_rows(rows), t, search.select_carry(carry, rows), compactions - 1)
    return ops.tree.map_structure(
        lambda tensor, part: ops.scatter_update(tensor, rows[:, None], part), results, later
    )
