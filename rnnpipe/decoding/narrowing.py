"""A loop over rows that goes on with half of them once half have ended."""

from typing import Any, Protocol

from keras import ops, tree

from rnnpipe.decoding.step import Step

HALVINGS = 2  # each makes the graph longer by a step; further ones gain little


class Rows(Protocol):
    """What a loop does to its rows; what it carries from step to step is its own affair."""

    def going(self, carried: Any) -> Any:
        """Which rows have not ended, `(rows,)`."""

    def advance(self, t: Any, carried: Any) -> Any:
        """What is carried after a step."""

    def take(self, chosen: Any) -> "Rows":
        """The same for the rows `(chosen,)` alone."""

    def pick(self, carried: Any, chosen: Any) -> Any:
        """What is carried of the rows `(chosen,)`."""

    def finish(self, carried: Any) -> Any:
        """What was found, tensors of `(rows, ...)`."""


def halvings_for(step: Step) -> int:
    """How often a loop over this step can halve its rows."""
    return HALVINGS if callable(getattr(step, "take", None)) else 0


def run(rows: Rows, t: Any, carried: Any, halvings: int) -> Any:
    """What is found when all rows have ended.

    Args:
        rows: of which each ends sooner or later, whatever the others do.
        t: how many steps there were.
        carried: what they left.
        halvings: how often to go on with half of the rows.
    """
    count = ops.shape(rows.going(carried))[0]
    halvings = 0 if isinstance(count, int) and count < 2 else halvings
    enough = count // 2 if halvings else 0

    def too_many(t: Any, carried: Any) -> Any:
        del t
        return ops.sum(ops.cast(rows.going(carried), "int32")) > enough

    def body(t: Any, carried: Any) -> tuple[Any, Any]:
        return t + 1, rows.advance(t, carried)

    t, carried = ops.while_loop(too_many, body, (t, carried))
    found = rows.finish(carried)
    if not halvings:
        return found
    order = ops.argsort(ops.cast(rows.going(carried), "int32"))
    chosen = ops.cast(order[count - enough :], "int32")  # all that go on, and some that do not
    later = run(rows.take(chosen), t, rows.pick(carried, chosen), halvings - 1)
    return tree.map_structure(
        lambda all_of_it, some: ops.scatter_update(all_of_it, chosen[:, None], some), found, later
    )
